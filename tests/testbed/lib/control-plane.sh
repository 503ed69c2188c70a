# shellcheck shell=bash
# etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback. Needs API_PORT, ETCD_PORT, ETCD_PEER_PORT, CM_PORT,
# SCHEDULER_PORT (written to $BED/ports by `up`), and WITH_NODE=yes|no.

start_etcd() {
  local pki=$BED/pki client=https://127.0.0.1:$ETCD_PORT peer=http://127.0.0.1:$ETCD_PEER_PORT
  mkdir -p "$BED/etcd"
  chmod 700 "$BED/etcd"
  # unsafe-no-fsync: the data need not outlive the machine, and a busy disk must not make leases time out
  start etcd "$BED/bin/etcd" --name testbed --data-dir "$BED/etcd" --unsafe-no-fsync --logger zap --log-level warn \
    --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "testbed=$peer" \
    --cert-file "$pki/etcd.crt" --key-file "$pki/etcd.key" --trusted-ca-file "$pki/ca.crt" --client-cert-auth \
    --quota-backend-bytes 4294967296
}

start_apiserver() {
  local pki=$BED/pki reconciler=lease
  # without a node nobody can reach the advertised address, so it is not published as the endpoint of the kubernetes Service
  [ "$WITH_NODE" = yes ] || reconciler=none
  start apiserver "$BED/bin/kube-apiserver" --bind-address=127.0.0.1 --secure-port="$API_PORT" \
    --advertise-address=10.99.0.1 --endpoint-reconciler-type=$reconciler \
    --etcd-servers="https://127.0.0.1:$ETCD_PORT" --etcd-cafile="$pki/ca.crt" --etcd-certfile="$pki/etcd.crt" --etcd-keyfile="$pki/etcd.key" \
    --client-ca-file="$pki/ca.crt" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --authorization-mode=Node,RBAC --anonymous-auth=true --allow-privileged=true \
    --enable-admission-plugins=NodeRestriction,LimitRanger,ResourceQuota,PodSecurity,ServiceAccount \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
    --service-cluster-ip-range=10.96.0.0/16 \
    --kubelet-client-certificate="$pki/apiserver-kubelet-client.crt" --kubelet-client-key="$pki/apiserver-kubelet-client.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP,Hostname \
    --requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy-client \
    --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
    --requestheader-username-headers=X-Remote-User \
    --proxy-client-cert-file="$pki/front-proxy-client.crt" --proxy-client-key-file="$pki/front-proxy-client.key" \
    --profiling=false
}

apiserver_ready() {
  local pki=$BED/pki
  curl -sf -m 5 --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" "https://127.0.0.1:$API_PORT/readyz"
}

etcd_ready() {
  local pki=$BED/pki
  curl -sf -m 5 --cacert "$pki/ca.crt" --cert "$pki/etcd.crt" --key "$pki/etcd.key" "https://127.0.0.1:$ETCD_PORT/health"
}

start_controllers() {
  local pki=$BED/pki config
  config=$BED/controller-manager.kubeconfig
  # the request rates let the controllers keep up with a fleet of a thousand namespaces
  start controller-manager "$BED/bin/kube-controller-manager" --bind-address=127.0.0.1 --secure-port="$CM_PORT" \
    --kubeconfig="$config" --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" \
    --leader-elect=false --use-service-account-credentials=true --kube-api-qps=400 --kube-api-burst=800 --concurrent-namespace-syncs=50 \
    --root-ca-file="$pki/ca.crt" --service-account-private-key-file="$pki/sa.key" \
    --controllers='*,-cloud-node-lifecycle-controller,-node-route-controller,-service-lb-controller,-bootstrap-signer-controller,-token-cleaner-controller' \
    --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
    --allocate-node-cidrs=true --cluster-cidr=10.244.0.0/16 --node-cidr-mask-size=24 --service-cluster-ip-range=10.96.0.0/16
  config=$BED/scheduler.kubeconfig
  start scheduler "$BED/bin/kube-scheduler" --bind-address=127.0.0.1 --secure-port="$SCHEDULER_PORT" \
    --kubeconfig="$config" --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" --leader-elect=false
}

healthy() { curl -skf -m 5 "https://127.0.0.1:$1/healthz"; }

control_plane_up() {
  local user
  for user in admin controller-manager scheduler; do
    certificate_kubeconfig $user "https://127.0.0.1:$API_PORT" "$BED/$user.kubeconfig"
  done
  start_etcd
  wait_for etcd 60 "etcd" etcd_ready
  start_apiserver
  wait_for apiserver 120 "the API server" apiserver_ready
  start_controllers
  wait_for controller-manager 60 "the controller manager" healthy "$CM_PORT"
  wait_for scheduler 60 "the scheduler" healthy "$SCHEDULER_PORT"
}
