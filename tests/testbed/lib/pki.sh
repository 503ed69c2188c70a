# shellcheck shell=bash
# One certificate authority and every certificate of the control plane, in $BED/pki. Certificates are for servers and components;
# people and programs get ServiceAccount tokens (lib/identities.sh).

make_pki() {
  local dir=$BED/pki
  mkdir -p "$dir"
  chmod 700 "$dir"
  cd "$dir" || return 1
  openssl ecparam -name prime256v1 -genkey -noout -out ca.key
  openssl req -x509 -new -key ca.key -sha256 -days 365 -subj "/CN=testbed-ca" -out ca.crt \
    -addext "keyUsage=critical,keyCertSign,cRLSign,digitalSignature" 2>/dev/null
  # RSA: signed tokens that every Vault and OpenBao version understands
  openssl genrsa -out sa.key 2048 2>/dev/null
  openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  local kubernetes=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  certificate apiserver kube-apiserver "" "$kubernetes,DNS:localhost,IP:127.0.0.1,IP:10.96.0.1,IP:10.99.0.1" serverAuth
  certificate apiserver-kubelet-client kube-apiserver-kubelet-client system:masters "" clientAuth
  certificate admin kubernetes-admin system:masters "" clientAuth
  certificate controller-manager system:kube-controller-manager "" "" clientAuth
  certificate scheduler system:kube-scheduler "" "" clientAuth
  certificate kubelet system:node:tb-node system:nodes "DNS:tb-node,IP:10.99.0.2" serverAuth,clientAuth
  certificate kube-proxy system:kube-proxy "" "" clientAuth
  certificate etcd etcd "" "DNS:localhost,IP:127.0.0.1" serverAuth,clientAuth
  certificate front-proxy-client front-proxy-client "" "" clientAuth
  cd - >/dev/null || return 1
}

# certificate FILE COMMON_NAME ORGANISATION ALTERNATIVE_NAMES USAGE
certificate() {
  local file=$1 subject=/CN=$2 extensions=$1.ext
  [ -z "$3" ] || subject=/O=$3/CN=$2
  {
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=$5"
    [ -z "$4" ] || echo "subjectAltName=$4"
  } >"$extensions"
  openssl ecparam -name prime256v1 -genkey -noout -out "$file.key"
  openssl req -new -key "$file.key" -subj "$subject" 2>/dev/null |
    openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -sha256 -extfile "$extensions" -out "$file.crt" 2>/dev/null
  rm -f "$extensions"
}

# certificate_kubeconfig USER SERVER FILE: certificates embedded
certificate_kubeconfig() {
  local pki=$BED/pki
  kubeconfig "$2" "$(base64 -w0 <"$pki/ca.crt")" "$1" \
    "client-certificate-data: $(base64 -w0 <"$pki/$1.crt"), client-key-data: $(base64 -w0 <"$pki/$1.key")" "$3"
}

# kubeconfig SERVER CA_BASE64 USER CREDENTIAL FILE
kubeconfig() {
  (umask 077 && cat >"$5") <<Y
apiVersion: v1
kind: Config
clusters: [{name: testbed, cluster: {server: "$1", certificate-authority-data: $2}}]
users: [{name: $3, user: {$4}}]
contexts: [{name: testbed, context: {cluster: testbed, user: $3}}]
current-context: testbed
Y
}
