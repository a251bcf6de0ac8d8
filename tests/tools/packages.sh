# Debian packages that muster needs, and how they get here. Sourced by ./run and ./test.

BUILD_PACKAGES="gcc cmake ninja-build pkg-config ca-certificates libssl-dev libevent-dev liblmdb-dev libcmocka-dev
  libjansson-dev libyaml-dev libidn2-dev libcurl4-openssl-dev openssl curl"
DEMO_PACKAGES="strongswan-pki libstrongswan-extra-plugins libstrongswan-standard-plugins"
TEST_PACKAGES="clang llvm clang-format git python3 strongswan-pki libstrongswan-extra-plugins libstrongswan-standard-plugins certmonger"

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
    done
}

# Installs what is missing of the packages named; says which. Packages after -- are optional: their absence from this
# Debian release is no error.
install_packages() {
    local wanted="" optional="" missing as_root="" rest=0 package
    for package in "$@"; do
        if [ "$package" = -- ]; then rest=1; elif [ $rest = 1 ]; then optional="$optional $package"; else wanted="$wanted $package"; fi
    done
    missing=$(missing_packages $wanted)
    optional=$(missing_packages $optional)
    [ -z "$missing$optional" ] && return 0
    if ! command -v apt-get >/dev/null; then
        echo "These packages are missing, and there is no apt-get here to install them:" $missing >&2
        [ -z "$missing" ]
        return
    fi
    [ "$(id -u)" = 0 ] || as_root=sudo
    echo "installing:" $missing $optional
    $as_root apt-get update -qq >/dev/null 2>&1
    if [ -n "$missing" ]; then
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null || return 1
    fi
    for package in $optional; do
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
            echo "not in this Debian release, left out: $package"
    done
}
