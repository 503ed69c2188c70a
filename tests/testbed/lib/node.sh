# shellcheck shell=bash
# A node in network namespaces of its own, so that its rules never touch the machine's: `tbnode` holds kubelet, containerd, kube-proxy and
# the pods' bridge, `tbworld` is everything outside the cluster. The names and ranges are fixed, so one bed at a time has the node.
#
#   10.99.0.1 machine <-> 10.99.0.2 tbnode    10.244.0.0/24 pods    10.96.0.0/16 services    10.98.0.0/30 tbnode <-> tbworld
#
# Processes enter with nsenter: `ip netns exec` would remount sysfs and hide the cgroups.

NODE_LOCK=/run/partywall-testbed.lock
RUNTIME=/run/tb-containerd
IN_NODE=(nsenter --net=/run/netns/tbnode)
IN_WORLD=(nsenter --net=/run/netns/tbworld)

cni_dir() {
  local dir
  for dir in /usr/lib/cni /opt/cni/bin; do if [ -x $dir/bridge ]; then printf '%s' $dir && return; fi; done
  return 1
}

# node_obstacle: prints why this machine can't have the node; nothing when it can
node_obstacle() {
  local tool range
  if [ "$(uname -s)" != Linux ]; then echo "needs Linux" && return; fi
  if [ "$(id -u)" != 0 ]; then echo "needs root" && return; fi
  for tool in ip nsenter unshare containerd ctr runc nft iptables socat busybox; do
    command -v $tool >/dev/null || { echo "$tool is not installed" && return; }
  done
  cni_dir >/dev/null || { echo "the CNI plugins (containernetworking-plugins) are not installed" && return; }
  for tool in kubelet kube-proxy coredns; do
    find_binary $tool >/dev/null || { echo "$tool is not built" && return; }
  done
  unshare --net true 2>/dev/null || { echo "network namespaces can't be made here" && return; }
  unshare --net nft add table inet probe 2>/dev/null || { echo "nftables does not work here" && return; }
  [ -e /proc/sys/net/bridge ] || modprobe br_netfilter 2>/dev/null
  unshare --net test -e /proc/sys/net/bridge/bridge-nf-call-iptables || { echo "the kernel has no br_netfilter" && return; }
  # sockets below the kubelet's folder must fit into 107 bytes
  [ ${#BED} -le 60 ] || { echo "the path $BED is too long for the kubelet's sockets" && return; }
  if ! probe_cgroups; then echo "cgroups can't be made here" && return; fi
  [ ! -e /run/netns/tbnode ] || return 0
  if [ -n "$(find /sys/fs/cgroup -path '*/kubepods/*' -name cgroup.procs -exec cat {} + 2>/dev/null)" ]; then
    echo "another kubelet has pods on this machine" && return
  fi
  for range in 10.244.0.0/16 10.96.0.0/16 10.99.0.0/30; do
    [ -z "$(ip -4 route show root $range)" ] || { echo "$range is already routed on this machine" && return; }
  done
}

probe_cgroups() {
  local dir=/sys/fs/cgroup
  [ ! -d $dir/memory ] || dir=$dir/memory
  mkdir $dir/partywall-probe.$$ 2>/dev/null && rmdir $dir/partywall-probe.$$
}

# take_node: true when the node is ours; prints who has it when not. A process of the bed holds the lock from then on.
take_node() {
  ! alive node-lock || return 0
  exec 9<>"$NODE_LOCK"
  if ! flock -n 9; then
    local owner
    owner=$(cat "$NODE_LOCK")
    if [ -z "$owner" ] || [ -d "$owner/pid" ] || ! { stop_strays "$owner" && flock -w 5 9; }; then
      exec 9>&-
      echo "another test bed has the node: $owner"
      return 1
    fi
  fi
  printf '%s\n' "$BED" >"$NODE_LOCK"
  PARTYWALL_TESTBED_OF=$BED setsid nohup sleep infinity >/dev/null 2>&1 </dev/null 8>&- &
  printf '%s %s\n' $! "$(start_time $!)" >"$BED/pid/node-lock"
  exec 9>&-
  # holding the lock, whatever is still there was left behind by a bed that died
  [ ! -e /run/netns/tbnode ] && [ ! -e /run/netns/tbworld ] || node_remove
}

node_networks() {
  ip netns add tbnode
  ip link add tb0 type veth peer name eth0 netns tbnode
  ip addr add 10.99.0.1/30 dev tb0
  ip link set tb0 up
  ip route add 10.244.0.0/16 via 10.99.0.2 dev tb0
  ip route add 10.96.0.0/16 via 10.99.0.2 dev tb0
  # were the node gone, a packet to a pod must not leave by the default route and be answered by a stranger
  ip route add unreachable 10.244.0.0/16 metric 9999
  ip route add unreachable 10.96.0.0/16 metric 9999
  "${IN_NODE[@]}" ip link set lo up
  "${IN_NODE[@]}" ip addr add 10.99.0.2/30 dev eth0
  "${IN_NODE[@]}" ip link set eth0 up
  "${IN_NODE[@]}" sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 net.ipv4.conf.all.route_localnet=1
  # the outside: a public host, the cloud metadata address and a host of the LAN answer HTTP, all else is swallowed in silence
  ip netns add tbworld
  ip link add w0 netns tbworld type veth peer name world netns tbnode
  "${IN_NODE[@]}" ip addr add 10.98.0.1/30 dev world
  "${IN_NODE[@]}" ip link set world up
  "${IN_NODE[@]}" ip route add default via 10.98.0.2
  "${IN_WORLD[@]}" sysctl -qw net.ipv4.ip_forward=0
  "${IN_WORLD[@]}" ip link set lo up
  "${IN_WORLD[@]}" ip addr add 10.98.0.2/30 dev w0
  "${IN_WORLD[@]}" ip link set w0 up
  local address
  for address in 203.0.113.10 169.254.169.254 10.200.0.10; do "${IN_WORLD[@]}" ip addr add $address/32 dev lo; done
  "${IN_WORLD[@]}" ip route add 10.244.0.0/16 via 10.98.0.1
  "${IN_WORLD[@]}" ip route add 10.99.0.0/30 via 10.98.0.1
}

# overlayfs can't lie on every file system (not on another overlay, for one); copying works everywhere
snapshotter() {
  local dir=$BED/overlay-probe found=native
  mkdir -p "$dir"/{lower,upper,work,merged}
  if unshare --mount mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/merged" 2>/dev/null; then
    found=overlayfs
  fi
  rm -rf "$dir"
  printf '%s' $found
}

node_configs() {
  local run=$BED/node
  mkdir -p "$run"/{cni,kubelet,plugins,world} "$RUNTIME"
  echo 'outside the cluster' >"$run/world/index.html"
  sed -e "s#@RUN@#$run#g" -e "s#@RUNTIME@#$RUNTIME#g" -e "s#@CNI@#$(cni_dir)#g" -e "s#@SNAPSHOTTER@#$(snapshotter)#g" \
    "$HERE/lib/containerd.toml" >"$run/containerd.toml"
  cat >"$run/cni/10-bridge.conflist" <<C
{"cniVersion": "0.4.0", "name": "partywall-testbed", "plugins": [
 {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$run/cni-ipam"}},
 {"type": "portmap", "capabilities": {"portMappings": true}}]}
C
  cat >"$run/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 10.99.0.2
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $BED/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $BED/pki/kubelet.crt
tlsPrivateKeyFile: $BED/pki/kubelet.key
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://$RUNTIME/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: /dev/null
healthzBindAddress: 127.0.0.1
podLogsDir: $run/pod-logs
volumePluginDir: $run/plugins
oomScoreAdj: 0
enforceNodeAllocatable: [pods]
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 100
imageMaximumGCAge: 0s
maxPods: 60
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
Y
  cat >"$run/kube-proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $run/kube-proxy.kubeconfig}
hostnameOverride: tb-node
oomScoreAdj: 0
mode: iptables
clusterCIDR: 10.244.0.0/16
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
iptables: {minSyncPeriod: 100ms}
Y
  local user
  for user in kubelet kube-proxy; do certificate_kubeconfig $user "https://10.99.0.1:$API_PORT" "$run/$user.kubeconfig"; done
}

# Images from this machine's own busybox and our CoreDNS; no image registry.
node_images() {
  local images=$BED/node/images busybox box library
  mkdir -p "$images"
  busybox=$(command -v busybox)
  box=("$busybox=/bin/busybox")
  # Debian's busybox is linked dynamically
  for library in $(ldd "$busybox" 2>/dev/null | grep -o '/[^ ]*'); do box+=("$(readlink -f "$library")=$library"); done
  python3 "$HERE/lib/mkimage.py" "$images/pause.tar" localhost/pause:1 "${box[@]}" -- /bin/busybox sleep infinity
  python3 "$HERE/lib/mkimage.py" "$images/busybox.tar" localhost/busybox:1 "${box[@]}" -- sleep 86400
  python3 "$HERE/lib/mkimage.py" "$images/coredns.tar" localhost/coredns:1 "$BED/bin/coredns=/bin/coredns" -- /bin/coredns -conf /etc/coredns/Corefile
}

containers() { ctr --address "$RUNTIME/containerd.sock" -n k8s.io "$@"; }

# node_prepare: everything that needs no API server yet
node_prepare() {
  local image
  [ -f "$BED/node/sysctl.before" ] || { mkdir -p "$BED/node" && sysctl vm.overcommit_memory kernel.panic kernel.panic_on_oops >"$BED/node/sysctl.before"; }
  [ -e /run/netns/tbnode ] || node_networks
  node_configs
  start world "${IN_WORLD[@]}" busybox httpd -f -p 80 -h "$BED/node/world"
  # the API server listens on loopback only; this is its face towards the node
  start apiforward socat "TCP-LISTEN:$API_PORT,bind=10.99.0.1,fork,reuseaddr" "TCP:127.0.0.1:$API_PORT"
  start containerd "${IN_NODE[@]}" containerd --config "$BED/node/containerd.toml"
  node_images >"$BED/log/images.log"
  wait_for containerd 30 "containerd" containers version
  for image in "$BED"/node/images/*.tar; do containers images import "$image" >>"$BED/log/images.log"; done
  rm -rf "$BED/node/images"
}

node_up() {
  local run=$BED/node
  start kubelet "${IN_NODE[@]}" "$BED/bin/kubelet" --config="$run/kubelet.yaml" --kubeconfig="$run/kubelet.kubeconfig" \
    --root-dir="$run/kubelet" --cert-dir="$run/kubelet/pki" --hostname-override=tb-node --node-ip=10.99.0.2
  start kube-proxy "${IN_NODE[@]}" "$BED/bin/kube-proxy" --config="$run/kube-proxy.yaml"
  enforcer_start
}

enforcer_start() {
  start enforcer "${IN_NODE[@]}" python3 "$HERE/lib/enforce.py" "$BED/pki" "https://10.99.0.1:$API_PORT"
  wait_for enforcer 20 "the first rules of the enforcer" enforcer_rules
}

enforcer_rules() { "${IN_NODE[@]}" nft list table inet testbed_policy; }

# enforcer_stop: no process acts on policies any more, and none of its rules is left in the kernel
enforcer_stop() {
  stop enforcer
  ! enforcer_rules >/dev/null 2>&1 || "${IN_NODE[@]}" nft delete table inet testbed_policy
}

# node_remove: ends the node's processes, by the namespaces they live in as well as by our own records, and puts the machine back
node_remove() (
  set +e
  local names name pid id mount run=$BED/node
  stop enforcer kubelet kube-proxy world apiforward
  if [ -e /run/netns/tbnode ]; then
    # the pods' namespaces are those at the other ends of our bridge's cables
    names=$(ip -n tbnode -o link show type veth 2>/dev/null | grep -o 'link-netns cni-[^ ]*' | cut -d' ' -f2 | sort -u)
    for name in $names; do for pid in $(ip netns pids "$name" 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done; done
    ! alive containerd || node_containers_remove
    stop containerd
    for name in $names tbworld tbnode; do
      for pid in $(ip netns pids "$name" 2>/dev/null); do kill -9 "$pid" 2>/dev/null; done
      ip netns del "$name" 2>/dev/null
    done
  fi
  ip link del tb0 2>/dev/null
  for name in 10.244.0.0/16 10.96.0.0/16; do ip route del unreachable $name metric 9999 2>/dev/null; done
  for mount in $(awk -v bed="$BED/" -v run="$RUNTIME/" 'index($2, bed) == 1 || index($2, run) == 1 {print $2}' /proc/mounts | sort -r); do
    umount -l "$mount" 2>/dev/null
  done
  find /var/log/containers -maxdepth 1 -type l -lname "$run/*" -delete 2>/dev/null
  for name in /var/lib/cni/results/partywall-testbed-*-eth0; do
    id=${name#*partywall-testbed-}
    rm -f "$name" "/var/lib/cni/results/cni-loopback-${id%-eth0}-lo"
  done
  rm -rf "$RUNTIME"
  if [ -f "$run/sysctl.before" ]; then sysctl -qp "$run/sysctl.before" >/dev/null && rm -f "$run/sysctl.before"; fi
  # a cgroup can be removed once the kernel has buried its processes
  for _ in $(seq 50); do
    find /sys/fs/cgroup -depth -type d -path '*/kubepods*' -exec rmdir {} + 2>/dev/null && break
    sleep 0.1
  done
  stop node-lock
)

node_containers_remove() {
  local id
  for id in $(containers tasks ls -q 2>/dev/null); do timeout 10 ctr --address "$RUNTIME/containerd.sock" -n k8s.io tasks rm -f "$id" >/dev/null 2>&1; done
  for id in $(containers containers ls -q 2>/dev/null); do timeout 10 ctr --address "$RUNTIME/containerd.sock" -n k8s.io containers rm "$id" >/dev/null 2>&1; done
  return 0
}
