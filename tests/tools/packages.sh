# Debian packages that muster needs, and how they get here. Sourced by ./run and ./test.

BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config ca-certificates libssl-dev libevent-dev liblmdb-dev libcmocka-dev
  libjansson-dev libyaml-dev libidn2-dev libcurl4-openssl-dev libc-ares-dev libcbor-dev openssl curl"
DEMO_PACKAGES="strongswan-pki libstrongswan-extra-plugins libstrongswan-standard-plugins dehydrated"
ACME_PACKAGES="certbot lego uacme acme-tiny python3-acme python3-cryptography apache2-bin pebble" # clients; a name server and a CA to compare with
UNPACKED_PACKAGES="caddy" # would start a server of its own if it were installed
TEST_PACKAGES="clang libclang-rt-dev llvm clang-format python3 dbus-daemon certmonger $DEMO_PACKAGES"
FULL_PACKAGES="clang-tidy valgrind"

missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
    done
}

# As root, asking nothing; waits for another apt that is at work.
apt_get() {
    local as_root=""
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" </dev/null
}

# Installs what is missing of the packages named; says which. Packages after -- are optional: their absence from this
# Debian release is no error, nor is it asked for again and again.
install_packages() {
    local wanted="" optional="" missing rest=0 package
    for package in "$@"; do
        if [ "$package" = -- ]; then rest=1; elif [ $rest = 1 ]; then optional="$optional $package"; else wanted="$wanted $package"; fi
    done
    missing=$(missing_packages $wanted)
    optional=$(missing_packages $optional)
    [ -z "$missing$optional" ] && return 0
    if ! command -v apt-get >/dev/null; then
        [ -z "$missing" ] && return 0
        echo "These packages are missing, and there is no apt-get here to install them:" $missing >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        [ -z "$missing" ] && return 0
        echo "These packages are missing; without sudo, root must install them: apt-get install" $missing >&2
        return 1
    fi
    # Lists of packages are fetched for what must come, or when this machine has none yet.
    if [ -n "$missing" ] || ! apt-cache show gcc >/dev/null 2>&1; then
        apt_get update >/dev/null || echo "apt-get update failed; going on with the lists that are here" >&2
    fi
    if [ -n "$missing" ]; then
        echo "installing:" $missing
        apt_get install -y --no-install-recommends $missing >/dev/null || return 1
    fi
    for package in $optional; do
        if ! apt-cache show "$package" >/dev/null 2>&1; then
            echo "not in this Debian release, left out: $package"
        else
            echo "installing: $package"
            apt_get install -y --no-install-recommends "$package" >/dev/null || echo "not installed, left out: $package"
        fi
    done
}

# What these packages hold goes to var/unpacked: nothing is installed, nothing starts. Their absence is no error.
unpack_packages() {
    local package
    for package in "$@"; do
        [ -e "var/unpacked/$package" ] || command -v "$package" >/dev/null && continue
        mkdir -p "var/unpacked/$package.deb"
        if (cd "var/unpacked/$package.deb" && apt-get -qq download "$package") >/dev/null 2>&1 &&
            dpkg-deb -x "var/unpacked/$package.deb/"*.deb var/unpacked; then
            touch "var/unpacked/$package"
        else
            echo "not unpacked, left out: $package"
        fi
        rm -rf "var/unpacked/$package.deb"
    done
}
