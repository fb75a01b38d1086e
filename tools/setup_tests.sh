#!/bin/sh
# Installs the Debian packages that the tests need and that are missing: readers, an HSM to compare with, a browser, fonts, PostgreSQL 15.
set -eu

missing=""
for package in pcscd vsmartcard-vpcd opensc softhsm2 fonts-noto-cjk swig libpcsclite-dev; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql-15"
command -v cc >/dev/null 2>&1 || missing="$missing gcc"
ls /usr/include/python3*/Python.h >/dev/null 2>&1 || python3-config --includes >/dev/null 2>&1 || missing="$missing python3-dev"
# The same browser without windows, where the archive has it; tests do without.
wished() { { ! command -v chromium-headless-shell && apt-cache show chromium-headless-shell; } >/dev/null 2>&1 && echo chromium-headless-shell || true; }
bare=$(wished)
[ -z "$missing$bare" ] && exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
    sudo -n true 2>/dev/null || as_root=""
fi
if { [ "$(id -u)" -ne 0 ] && [ -z "$as_root" ]; } || ! command -v apt-get >/dev/null 2>&1; then
    [ -z "$missing" ] && exit 0
    echo "测试还需要这些软件包，请由管理员安装：$missing" >&2
    echo "The tests also need these packages; have an administrator install them:$missing" >&2
    exit 1
fi

echo "· apt:$missing $bare"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; fail; }; }
fail() {
    echo "软件包未能安装，见上。" >&2
    echo "The packages could not be installed, see above." >&2
    exit 1
}

if [ -z "$missing" ]; then
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $bare >/dev/null 2>&1 || true
    exit 0
fi
apt update
case "$missing" in *postgresql-15*)
    # The programs only: no cluster of the system's own beside ours.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        apt install --no-install-recommends postgresql-common
        $as_root sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    fi ;;
esac
# shellcheck disable=SC2086
apt install --no-install-recommends $missing $(wished)
