#!/bin/sh
# Debian packages from a build, with dpkg-deb: packaging/dist.sh [-b BUILD]
# [-o FOLDER]. Without -b it makes a build of its own in build/dist. The same
# source, compiler and libraries give the same bytes: every time in them is
# that of the last commit, or SOURCE_DATE_EPOCH.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=""
out=$top/dist
while getopts b:o: option; do
    case $option in
    b) build=$(cd "$OPTARG" && pwd) ;;
    o) mkdir -p "$OPTARG" && out=$(cd "$OPTARG" && pwd) ;;
    *) exit 2 ;;
    esac
done
mkdir -p "$out"

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$top" log -1 --format=%ct 2>/dev/null ||
        stat -c %Y "$top/CHANGELOG.md")
fi
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
umask 022
arch=$(dpkg --print-architecture)
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
version=$(sed -n 's/^project(bowline VERSION \([0-9.]*\).*/\1/p' "$top/CMakeLists.txt")
# Yours, when you hand the packages on.
maintainer="${DEBFULLNAME:-Bowline maintainers} <${DEBEMAIL:-bowline@localhost.localdomain}>"

if [ -z "$build" ]; then
    build=$top/build/dist
    cmake -S "$top" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DBOWLINE_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr \
        -DCMAKE_INSTALL_LIBDIR="lib/$multiarch" \
        -DCMAKE_C_FLAGS="-ffile-prefix-map=$top=. -ffile-prefix-map=$build=./build" \
        >/dev/null
    cmake --build "$build" -j "$(nproc)"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage=$work/stage
DESTDIR=$stage cmake --install "$build" --prefix /usr >"$work/log"

# --- What goes where. A file that nobody takes is an error. ---------------

take() { # take PACKAGE TARGET-FOLDER FILE...: from the stage into a package
    into=$work/$1$2
    shift 2
    mkdir -p "$into"
    for file in "$@"; do
        mv "$stage/$file" "$into/"
    done
}

put() { # put PACKAGE TARGET FILE: from the source tree
    install -D -m "${4:-644}" "$top/$3" "$work/$1$2"
}

man=usr/share/man
take bowline-server /usr/bin usr/bin/bowlined
take bowline-server /usr/share/man/man8 $man/man8/bowlined.8
take bowline-server /lib/systemd/system usr/lib/systemd/system/bowlined.service
take bowline-server /usr/share/doc/bowline-server/examples \
    usr/share/doc/bowline/bowlined.conf
put bowline-server /usr/share/bowline/grafana.json packaging/grafana/bowline.json
put bowline-server /usr/share/bowline/alerts.yml packaging/prometheus/alerts.yml
put bowline-server /usr/share/doc/bowline-server/OPERATING.md docs/OPERATING.md
take bowline-device /usr/bin usr/bin/bowline-device
take bowline-device /lib/systemd/system usr/lib/systemd/system/bowline-device.service
take bowline-device /usr/share/man/man1 $man/man1/bowline-device.1
take bowline-sim /usr/bin usr/bin/bowline-sim
take bowline-sim /usr/share/man/man1 $man/man1/bowline-sim.1
take bowline /usr/bin usr/bin/bowline
(cd "$stage" && ls $man/man1/*) >"$work/pages"
# shellcheck disable=SC2046
take bowline /usr/share/man/man1 $(cat "$work/pages")
shells() { # shells PACKAGE PROGRAM: its completions
    take "$1" /usr/share/bash-completion/completions \
        "usr/share/bash-completion/completions/$2"
    take "$1" /usr/share/zsh/vendor-completions \
        "usr/share/zsh/site-functions/_$2"
}
shells bowline bowline
shells bowline-server bowlined
shells bowline-device bowline-device
shells bowline-sim bowline-sim
take libbowline-dev /usr usr/include
libdir=$(dirname "$(cd "$stage" && find usr/lib -name libbowline.a)")
take libbowline-dev "/$libdir" $(cd "$stage" && ls "$libdir"/*.a) \
    "$libdir/pkgconfig" "$libdir/cmake"
put libbowline-dev /usr/share/doc/libbowline-dev/FIRMWARE.md docs/FIRMWARE.md
put libbowline-dev /usr/share/doc/libbowline-dev/DELTA-LIBRARY.md \
    docs/DELTA-LIBRARY.md
put libbowline-dev /usr/share/doc/libbowline-dev/DELTA-IN-PLACE.md \
    docs/DELTA-IN-PLACE.md
put libbowline-dev /usr/share/doc/libbowline-dev/examples/apply.c \
    examples/delta/apply.c

left=$(cd "$stage" && find . ! -type d)
if [ -n "$left" ]; then
    echo "dist: no package takes these:" >&2
    echo "$left" >&2
    exit 1
fi

# --- Control files -------------------------------------------------------

describe() {
    case $1 in
    bowline-server) cat <<'TEXT'
Description: over-the-air firmware updates: the server
 bowlined keeps signed releases, offers them to devices in stages, stops by
 itself when devices fail, and shows all of it on a dashboard.
 .
 Dashboard for Grafana and alert rules for Prometheus are included.
TEXT
        ;;
    bowline) cat <<'TEXT'
Description: over-the-air firmware updates: the operator's tool
 Makes keys and root documents, signs releases, publishes them, starts and
 watches rollouts, and says why a device is not updating.
TEXT
        ;;
    bowline-device) cat <<'TEXT'
Description: over-the-air firmware updates: a device on Linux
 Runs a device as a process: flash with two slots, boot code, the update
 client, and the firmware image that it was given.
TEXT
        ;;
    bowline-sim) cat <<'TEXT'
Description: over-the-air firmware updates: a simulated fleet
 Thousands of devices in one process, each the real update client, with lossy
 links, power cuts and bad releases, against a real server.
TEXT
        ;;
    libbowline-dev) cat <<'TEXT'
Description: over-the-air firmware updates: device library
 The update client and boot code as static libraries, for microcontrollers
 and for firmware on Linux, with headers, pkg-config and CMake files; and the
 decoder of deltas as a library of its own.
TEXT
        ;;
    esac
}

depends() { # what the programs of package $1 are linked with
    mkdir -p "$work/shlibs/debian"
    printf 'Source: bowline\n\nPackage: %s\nArchitecture: any\n' "$1" \
        >"$work/shlibs/debian/control"
    (cd "$work/shlibs" && dpkg-shlibdeps -O --ignore-missing-info \
        "$work/$1"/usr/bin/* 2>/dev/null) | sed 's/^shlibs:Depends=//'
}

control() {
    package=$1
    section=admin
    needs=""
    extra=""
    case $package in
    libbowline-dev)
        section=libdevel
        needs="libavahi-client-dev, libconfig-dev, libcurl4-openssl-dev | libcurl-dev, libssl-dev"
        ;;
    *)
        needs=$(depends "$package")
        ;;
    esac
    case $package in
    bowline-server)
        needs="$needs, adduser"
        extra="Recommends: bowline, ca-certificates
Suggests: prometheus"
        ;;
    bowline-device)
        needs="$needs, adduser"
        ;;
    bowline-sim) extra="Recommends: bowline-server, bowline" ;;
    esac
    size=$(du -sk --apparent-size "$work/$package" --exclude=DEBIAN | cut -f1)
    cat <<TEXT
Package: $package
Source: bowline
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $size
Depends: $needs
Section: $section
Priority: optional
Homepage: https://bowline.invalid/
TEXT
    [ -z "$extra" ] || echo "$extra"
    describe "$package"
}

documents() {
    doc=$work/$1/usr/share/doc/$1
    mkdir -p "$doc"
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
        printf 'Upstream-Name: bowline\n\nFiles: *\nCopyright: 2026 the Bowline authors\n'
        printf 'License: Apache-2.0\n On Debian systems the text of this license is in\n'
        printf ' /usr/share/common-licenses/Apache-2.0.\n'
    } >"$doc/copyright"
    {
        printf 'bowline (%s) unstable; urgency=medium\n\n' "$version"
        printf '  * See CHANGELOG.md of the source.\n\n -- %s  %s\n' \
            "$maintainer" "$(date -u -R -d "@$SOURCE_DATE_EPOCH")"
    } | gzip -9n >"$doc/changelog.gz"
    find "$work/$1/usr/share/man" -type f ! -name '*.gz' \
        -exec gzip -9n {} + 2>/dev/null || true
}

pack() {
    package=$1
    root=$work/$package
    documents "$package"
    if [ -d "$root/usr/bin" ]; then
        strip --strip-unneeded "$root"/usr/bin/*
    fi
    for library in $(find "$root" -name '*.a'); do
        strip --strip-debug --enable-deterministic-archives "$library"
    done
    find "$root" -type d -exec chmod 755 {} +
    find "$root" -type f ! -path '*/bin/*' -exec chmod 644 {} +
    mkdir -p "$root/DEBIAN"
    control "$package" >"$root/DEBIAN/control"
    for script in postinst prerm postrm; do
        if [ -f "$top/packaging/debian/$package.$script" ]; then
            install -m 755 "$top/packaging/debian/$package.$script" \
                "$root/DEBIAN/$script"
        fi
    done
    (cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' |
        sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    chmod 644 "$root/DEBIAN/md5sums" "$root/DEBIAN/control"
    find "$root" -newermt "@$SOURCE_DATE_EPOCH" -exec \
        touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group "-Z${DIST_COMPRESSION:-xz}" --build "$root" \
        "$out/${package}_${version}_${arch}.deb" >/dev/null
    echo "$out/${package}_${version}_${arch}.deb"
}

for package in bowline-server bowline bowline-device bowline-sim libbowline-dev; do
    pack "$package"
done
