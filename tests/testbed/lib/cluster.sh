# shellcheck shell=bash
# What lies in the cluster and in Vault: tenants, identities, roles, policies, secrets. The same for a bed of ours and for a cluster
# that was given (PARTYWALL_TEST_KUBECONFIG).

# a value nobody else has, so that a test may search every output for it
canary() { printf 'canary-%s-7c9e4d1f-never-shown' "$1"; }

# tenant_objects [TEMPLATE]: the objects of both tenants
tenant_objects() {
  local tenant
  for tenant in "${TENANTS[@]}"; do
    sed -e "s|@TENANT@|$tenant|g" -e "s|@IMAGE@|${PARTYWALL_TEST_IMAGE:-localhost/busybox:1}|g" "$HERE/manifests/${1:-tenant.yaml}"
    echo ---
  done
}

apply_objects() {
  local extra=()
  [ "$WITH_NODE" != yes ] || extra=(-f "$HERE/manifests/coredns.yaml")
  { tenant_objects; tenant_objects tenant-bindings.yaml; } | kube apply -f - -f "$HERE/manifests/identities.yaml" "${extra[@]}" >"$BED/log/apply.log"
}

# Pods can be created once the ServiceAccounts are there, and judged once the quotas have been counted.
tenants_settled() {
  local tenant
  for tenant in "${TENANTS[@]}"; do
    kube -n "web-tenant-$tenant" get serviceaccount default n8n-"$tenant" || return 1
    [ -n "$(kube -n "web-tenant-$tenant" get resourcequota tenant-quota -o 'jsonpath={.status.hard.pods}')" ] || return 1
  done
}

# one kubeconfig per identity, with a bearer token as service accounts of pipelines have
write_identities() {
  local server ca who token
  server=$(kube config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
  ca=$(kube config view --minify --raw --flatten -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')
  for who in viewer nslister prober fixer; do
    token=$(kube -n partywall-operators create token $who --duration=720h)
    kubeconfig "$server" "$ca" $who "token: \"$token\"" "$BED/$who.kubeconfig"
  done
  printf '%s' "$ca" | base64 -d >"$BED/cluster-ca.crt"
  (umask 077 && kube -n sys-vault create token vault-auth --duration=720h >"$BED/reviewer.jwt")
}

# configure_vault [OPERATOR_POLICY]: prints an operator token when a policy is given
configure_vault() {
  local server tenant canaries=()
  server=$(kube config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
  for tenant in "${TENANTS[@]}"; do canaries+=("$tenant=$(canary "$tenant")"); done
  VAULT_ADDR=$VAULT_ADDR python3 "$HERE/lib/vault.py" "$BED/vault-root-token" "$server" "$BED/cluster-ca.crt" "$BED/reviewer.jwt" "${1:--}" "${canaries[@]}"
}

start_vault() {
  local token
  token=root-$(python3 -c 'import secrets; print(secrets.token_hex(16))')
  (umask 077 && printf '%s' "$token" >"$BED/vault-root-token" && : >"$BED/log/bao.log")
  # dev mode: in memory, unsealed, KV v2 at secret/; its log holds the unseal key
  HOME=$BED start bao "$BED/bin/bao" server -dev -dev-root-token-id="$token" -dev-listen-address="127.0.0.1:$VAULT_PORT" -dev-no-store-token
}

vault_ready() { curl -sf -m 5 --noproxy '*' "$VAULT_ADDR/v1/sys/health"; }

vault_call() { # METHOD PATH [BODY]
  curl -sS -m 10 --noproxy '*' -o /dev/null -w '%{http_code}' -X "$1" -H "X-Vault-Token: $(cat "$BED/vault-root-token")" \
    ${3:+--data "$3"} "$VAULT_ADDR/v1/$2"
}

unseal_vault() {
  local key
  key=$(sed -n 's/^Unseal Key: //p' "$BED/log/bao.log" | head -n 1)
  [ -n "$key" ] || fail "no unseal key in $BED/log/bao.log"
  [ "$(vault_call PUT sys/unseal "{\"key\": \"$key\"}")" = 200 ] || fail "OpenBao did not take its unseal key"
  vault_ready >/dev/null || fail "OpenBao is still sealed"
}
