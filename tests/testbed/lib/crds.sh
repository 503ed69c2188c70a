# shellcheck shell=bash
# Official CRDs of policies that nothing on the bed enforces. They come from Go modules, of which only the YAML is kept.

# Outside the repository and apart from the binaries, so that a new CRD does not make anybody build Kubernetes again.
crds_dir() {
  local base=${PARTYWALL_TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/partywall-testbed}
  printf '%s/crds-%s' "$base" "$(sha256sum "$HERE/crds.txt" | cut -c1-16)"
}

# crds_fetch: about 80 MB and ten seconds, of which 2 MB stay
crds_fetch() {
  local dir made
  dir=$(crds_dir)
  [ ! -d "$dir" ] || return 0
  command -v go >/dev/null || { say "Go is needed to fetch the CRDs" >&2 && return 1; }
  mkdir -p "$(dirname "$dir")"
  made=$(mktemp -d "$dir.new.XXXXXX")
  # a module cache of its own, writable so that it can be removed
  if (cd "$made" && GOMODCACHE=$made/modules GOFLAGS=-modcacherw GOWORK=off python3 "$HERE/lib/crds.py" "$HERE/crds.txt" "$made/yaml"); then
    # another checkout may have been faster
    [ -d "$dir" ] || mv -T "$made/yaml" "$dir" 2>/dev/null || [ -d "$dir" ]
  else
    rm -rf "$made"
    say "the CRDs were not to be had" >&2
    return 1
  fi
  rm -rf "$made"
}

# crds_apply SET: server-side, because Cilium's are larger than the annotation that kubectl would otherwise write
crds_apply() {
  kube apply --server-side --force-conflicts -f "$(crds_dir)/$1" >"$BED/log/crds.log"
  kube wait --for=condition=Established --timeout=30s -f "$(crds_dir)/$1" >>"$BED/log/crds.log"
}

# crds_empty: no object of these kinds is left
crds_empty() {
  local kinds
  kinds=$(kube get customresourcedefinitions -o 'jsonpath={range .items[*]}{.metadata.name},{end}' | tr , '\n' | grep -E '\.(policy\.networking\.k8s\.io|cilium\.io|external-secrets\.io|secrets\.hashicorp\.com|secrets-store\.csi\.x-k8s\.io)$' | paste -sd, -)
  [ -n "$kinds" ] || return 0
  # two groups have a VaultDynamicSecret: a kind is named with its version and group
  kube get "$kinds" -A -o 'jsonpath={range .items[*]}{.kind}{" "}{.apiVersion}{" "}{.metadata.name}{" "}{.metadata.namespace}{"\n"}{end}' |
    while read -r kind at name namespace; do
      kube delete "$kind.${at#*/}.${at%/*}" "$name" ${namespace:+-n "$namespace"} >/dev/null
    done
}
