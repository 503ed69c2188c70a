#!/usr/bin/env python3
"""enforce.py PKI_FOLDER SERVER_URL: makes the kernel enforce networking.k8s.io/v1 NetworkPolicy, by nftables.

Runs in the node's network namespace. Reads pods, namespaces and policies twice a second and swaps the whole ruleset in one
transaction. Refused packets are dropped in silence, as Calico and Cilium do. Pods see each other over a bridge, so
net.bridge.bridge-nf-call-iptables must be 1. When it ends, the rules stay: the command that stops it removes them.

It exists because no published enforcer can be had from a package registry; where there is a cluster with a real one, the tests run
there. It deliberately shares nothing with partywall's own evaluation: the kernel's answer is the judge of that.
"""
import http.client, ipaddress, json, ssl, subprocess, sys, time, urllib.parse

PKI, SERVER = sys.argv[1], urllib.parse.urlparse(sys.argv[2])
TABLE = "inet testbed_policy"
# as in Kubernetes, connections that were allowed when they began go on
HEAD = "  chain forward {\n    type filter hook forward priority 10; policy accept;\n    ct state established,related accept\n"


def client():
    ctx = ssl.create_default_context(cafile=f"{PKI}/ca.crt")
    ctx.load_cert_chain(f"{PKI}/admin.crt", f"{PKI}/admin.key")
    return http.client.HTTPSConnection(SERVER.hostname, SERVER.port, context=ctx, timeout=10)


def items(conn, path):
    conn.request("GET", path)
    answer = conn.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status}")
    return json.loads(body)["items"] or []


def matches(selector, labels):
    for k, v in (selector.get("matchLabels") or {}).items():
        if labels.get(k) != v:
            return False
    for e in selector.get("matchExpressions") or []:
        have, op, values = labels.get(e["key"]), e["operator"], e.get("values") or []
        if op == "In" and have not in values: return False
        if op == "NotIn" and have in values: return False
        if op == "Exists" and have is None: return False
        if op == "DoesNotExist" and have is not None: return False
    return True


def peers(peer, namespace, pods, namespaces):
    """[(pod or None, nft address expression)] of one NetworkPolicyPeer."""
    block = peer.get("ipBlock")
    if block:
        # the address may have host bits set, which nft refuses
        cidr = ipaddress.ip_network(block["cidr"], strict=False)
        if cidr.version != 4: return []
        without = [str(ipaddress.ip_network(c, strict=False)) for c in block.get("except") or []]
        # one match each: nft refuses a set whose ranges overlap
        return [(None, f"{{addr}} {cidr}" + "".join(f" {{addr}} != {c}" for c in without))]
    found = []
    for pod in pods:
        if peer.get("namespaceSelector") is not None:
            if not matches(peer["namespaceSelector"], namespaces.get(pod["ns"], {})): continue
        elif pod["ns"] != namespace: continue
        if not matches(peer.get("podSelector") or {}, pod["labels"]): continue
        found.append((pod, "{addr} " + pod["ip"]))
    return found


def port_match(port, target):
    proto = port.get("protocol", "TCP").lower()
    number = port.get("port")
    if number is None: return f"meta l4proto {proto}"
    if isinstance(number, str):
        number = next((n for n, name, p in target["ports"] if name == number and p == proto.upper()), None) if target else None
        if number is None: return None
    last = port.get("endPort", number)
    return f"{proto} dport {number}" + (f"-{last}" if last != number else "")


def rules(direction, entry, me, namespace, pods, namespaces):
    """nft matches that let traffic pass for one ingress or egress rule of a policy on pod `me`."""
    listed = entry.get("from" if direction == "in" else "to") or []
    addr = "ip saddr" if direction == "in" else "ip daddr"
    who = [w for p in listed for w in peers(p, namespace, pods, namespaces)] if listed else [(None, "")]
    for pod, expression in who:
        expression = expression.format(addr=addr)
        if not entry.get("ports"):
            yield expression
            continue
        for port in entry["ports"]:
            # a port's name is looked up at the receiving pod
            targets = [me] if direction == "in" else ([pod] if pod else ([None] if not isinstance(port.get("port"), str) else pods))
            for target in targets:
                match = port_match(port, target)
                if match:
                    narrowed = f" ip daddr {target['ip']}" if direction == "out" and pod is None and target else ""
                    yield f"{expression}{narrowed} {match}".strip()


def directions(spec):
    # an omitted policyTypes means Ingress, and Egress too where egress rules are given
    return spec.get("policyTypes") or ["Ingress"] + (["Egress"] if spec.get("egress") else [])


def ruleset(pods, namespaces, policies):
    chains, dispatch = [], {"in": [], "out": []}
    for pod in pods:
        for direction, kind, key in (("in", "Ingress", "ingress"), ("out", "Egress", "egress")):
            mine = [p for p in policies if p["ns"] == pod["ns"] and kind in directions(p["spec"])
                    and matches(p["spec"].get("podSelector") or {}, pod["labels"])]
            if not mine: continue
            name = f"{direction}_{pod['ip'].replace('.', '_')}"
            # no policy keeps a pod from itself (through its own Service, say)
            passing = [f"ip saddr {pod['ip']} ip daddr {pod['ip']}"]
            passing += [r for p in mine for e in p["spec"].get(key) or [] for r in rules(direction, e, pod, p["ns"], pods, namespaces)]
            lines = dict.fromkeys(f"    {r} return".replace("     return", "    return") for r in passing)
            chains.append(f"  chain {name} {{\n" + "\n".join(lines) + "\n    counter drop\n  }")
            dispatch[direction].append(f"    ip {'d' if direction == 'in' else 's'}addr {pod['ip']} jump {name}")
    # naming the table first makes deleting it safe when it is not there yet
    return (f"table {TABLE}\ndelete table {TABLE}\ntable {TABLE} {{\n" + "\n".join(chains) + "\n" + HEAD +
            "\n".join(dispatch["out"] + dispatch["in"]) + "\n  }\n}\n")


def read(conn):
    namespaces = {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in items(conn, "/api/v1/namespaces?resourceVersion=0")}
    pods = []
    for p in items(conn, "/api/v1/pods?fieldSelector=spec.nodeName%3Dtb-node"):
        ip = p["status"].get("podIP", "")
        if not ip or ":" in ip or p["spec"].get("hostNetwork") or p["status"].get("phase") in ("Succeeded", "Failed"): continue
        # sidecars are init containers that go on running; the ports of those that only prepare mean nothing
        sidecars = [c for c in p["spec"].get("initContainers") or [] if c.get("restartPolicy") == "Always"]
        containers = p["spec"]["containers"] + sidecars
        pods.append({"ns": p["metadata"]["namespace"], "labels": p["metadata"].get("labels") or {}, "ip": ip,
                     "ports": [(c["containerPort"], c.get("name"), c.get("protocol", "TCP")) for k in containers for c in k.get("ports") or []]})
    policies = [{"ns": p["metadata"]["namespace"], "spec": p["spec"]}
                for p in items(conn, "/apis/networking.k8s.io/v1/networkpolicies?resourceVersion=0")]
    return sorted(pods, key=lambda p: p["ip"]), namespaces, policies


def main():
    conn, last = client(), None
    while True:
        try:
            pods, namespaces, policies = read(conn)
            text = ruleset(pods, namespaces, policies)
            if text != last:
                done = subprocess.run(["nft", "-f", "-"], input=text, text=True, capture_output=True)
                if done.returncode:
                    print(f"nft refused, the old rules stay: {done.stderr.strip()[:500]}", flush=True)
                else:
                    print(f"{time.strftime('%H:%M:%S')} {len(pods)} pods, {len(policies)} policies enforced", flush=True)
                    last = text
        except (OSError, http.client.HTTPException, ValueError, KeyError) as e:
            print(f"not read, the old rules stay: {e}", flush=True)
            conn.close()
            conn = client()
        time.sleep(0.5)


if __name__ == "__main__":
    main()
