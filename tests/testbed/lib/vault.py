#!/usr/bin/env python3
"""vault.py ROOT_TOKEN_FILE KUBERNETES_HOST CA_FILE REVIEWER_JWT_FILE OPERATOR_POLICY TENANT=CANARY...

Configures the server at $VAULT_ADDR for the tenants of the walkthrough: Kubernetes auth, and per tenant a role, a policy and a
KV v2 secret that holds a recognisable canary value. Can be run again. Prints a new operator token, or nothing when OPERATOR_POLICY is -.
"""
import json, os, sys, urllib.error, urllib.request

ROOT, HOST, CA, REVIEWER, OPERATOR = sys.argv[1:6]
read = lambda path: open(path).read()


def call(method, path, body=None):
    request = urllib.request.Request(f"{os.environ['VAULT_ADDR'].rstrip('/')}/v1/{path}", method=method,
                                     data=json.dumps(body).encode() if body is not None else None,
                                     headers={"X-Vault-Token": read(ROOT).strip()})
    try:
        # no proxy of the environment may see a test's token
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            text = answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"vault: {method} {path}: {error.code} {error.read().decode(errors='replace')[:300]}")
    return json.loads(text) if text else {}


if "kubernetes/" not in call("GET", "sys/auth")["data"]:
    call("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
if "secret/" not in call("GET", "sys/mounts")["data"]:
    call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
call("POST", "auth/kubernetes/config", {"kubernetes_host": HOST, "kubernetes_ca_cert": read(CA), "token_reviewer_jwt": read(REVIEWER).strip()})
for tenant, canary in (pair.split("=", 1) for pair in sys.argv[6:]):
    namespace = f"web-tenant-{tenant}"
    call("POST", f"sys/policies/acl/tenant-{tenant}", {"policy":
         f'path "secret/data/{namespace}"     {{ capabilities = ["read"] }}\npath "secret/metadata/{namespace}" {{ capabilities = ["read"] }}\n'})
    call("POST", f"auth/kubernetes/role/tenant-{tenant}", {
        "bound_service_account_names": [f"n8n-{tenant}"], "bound_service_account_namespaces": [namespace],
        "audience": "vault", "token_policies": [f"tenant-{tenant}"], "token_ttl": "1h"})
    call("POST", f"secret/data/{namespace}", {"data": {"api_key": canary}})
if OPERATOR != "-":
    call("POST", "sys/policies/acl/partywall-operator", {"policy": read(OPERATOR)})
    print(call("POST", "auth/token/create", {"policies": ["partywall-operator"], "ttl": "720h", "display_name": "partywall"})["auth"]["client_token"])
