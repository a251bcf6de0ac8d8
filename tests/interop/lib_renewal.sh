# What the tests of the gateway's own certificates stand on, beside lib.sh. Sourced after it.

# FILE SUBJECT EXTENSIONS...: m/FILE.pem for m/keys/FILE.pem, 80 days old and with 20 to go, as the CA once signed it.
aged() {
    local file=$1 subject=$2
    shift 2
    mkdir -p issuing && : >issuing/index.txt && openssl rand -hex 12 >issuing/serial
    cat >issuing/ca.cnf <<CNF
[ca]
default_ca = it
[it]
database = issuing/index.txt
serial = issuing/serial
new_certs_dir = issuing
certificate = m/ca.pem
private_key = m/keys/ca.pem
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[x]
keyUsage = critical,$1
extendedKeyUsage = $2
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${3:+subjectAltName = $3}
CNF
    openssl req -new -key "m/keys/$file.pem" -subj "$subject" -out issuing/request.csr
    openssl ca -batch -config issuing/ca.cnf -extensions x -notext -in issuing/request.csr -out "m/$file.pem" \
        -startdate "$(date -u -d '80 days ago' +%y%m%d%H%M%SZ)" -enddate "$(date -u -d '20 days' +%y%m%d%H%M%SZ)" >issuing/log 2>&1 || cat issuing/log
    cp "m/$file.pem" "old-$file.pem"
}
serial_of() { openssl x509 -in "$1" -noout -serial; }
field() { openssl x509 -in "$1" -noout "${@:2}" 2>/dev/null; }
in_use() { said "service-renewal .*detail=\"?$1: the new certificate is in use"; }
