# SPDX-License-Identifier: Apache-2.0
"""Programs out of Debian packages in two versions.

apt fetches and verifies (signature of the release file, hashes below it) in a
folder of its own, one per architecture: the system's apt and dpkg are not
touched, no root is needed. What is fetched is whatever the mirror holds in its
suites today; the exact versions go into the manifest."""
import functools
import os
import re
import subprocess
from pathlib import Path

from elf import is_elf, machine, regions

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITES = [("debian", "{}"), ("debian", "{}-updates"),
          ("debian", "{}-backports"),
          ("debian-security", "{}-security")]
RELEASES = ("bookworm", "trixie")
# riscv64 came with trixie
SINCE = {"riscv64": "trixie"}
BIGGEST = 3000000

# (short name, package, file in it, architectures): every step from one
# version to the next within a release is a pair
EMBEDDED = ("armhf", "arm64", "riscv64")
ALL = EMBEDDED + ("amd64",)
FIXES = [
    ("libssl", "libssl3", "usr/lib/*/libssl.so.3", ALL),
    ("libcrypto", "libssl3", "usr/lib/*/libcrypto.so.3", ("armhf",)),
    ("openssl", "openssl", "usr/bin/openssl", EMBEDDED),
    ("sshd", "openssh-server", "usr/sbin/sshd", ALL),
    ("ssh", "openssh-client", "usr/bin/ssh", EMBEDDED),
    ("ssh-keygen", "openssh-client", "usr/bin/ssh-keygen", ("armhf",)),
    ("ssh-agent", "openssh-client", "usr/bin/ssh-agent", ("armhf",)),
    ("ssh-keyscan", "openssh-client", "usr/bin/ssh-keyscan", ("armhf",)),
    ("sftp-server", "openssh-sftp-server", "usr/lib/openssh/sftp-server",
     EMBEDDED),
    ("smbclient", "smbclient", "usr/bin/smbclient", ("armhf",)),
    ("net", "samba-common-bin", "usr/bin/net", ("armhf",)),
    ("winbindd", "winbind", "usr/sbin/winbindd", ("armhf",)),
    ("nmbd", "samba", "usr/sbin/nmbd", ("armhf",)),
    ("libc", "libc6", "usr/lib/*/libc.so.6|lib/*/libc.so.6",
     ("armhf", "arm64")),
    ("libcurl", "libcurl4", "usr/lib/*/libcurl.so.4.*", ("armhf", "arm64")),
    ("libexpat", "libexpat1", "lib/*/libexpat.so.1.*", ALL),
    ("dnsmasq", "dnsmasq-base", "usr/sbin/dnsmasq", ("armhf", "arm64")),
    ("hostapd", "hostapd", "usr/sbin/hostapd", ("armhf", "arm64")),
    ("wolfssl", "libwolfssl35", "usr/lib/*/libwolfssl.so.*",
     ("armhf", "amd64")),
    ("mosquitto", "mosquitto", "usr/sbin/mosquitto", ("armhf", "arm64")),
    ("libmodbus", "libmodbus5", "usr/lib/*/libmodbus.so.5.*",
     ("armhf", "arm64")),
    ("libgnutls", "libgnutls30", "usr/lib/*/libgnutls.so.30.*", ("armhf",)),
]
# the same from the release to its backports, or to the next release: much is
# new, so little is to be had
UPGRADES = [
    ("dropbear", "dropbear-bin", "usr/sbin/dropbear",
     ("armhf", "arm64"), "trixie"),
    ("busybox", "busybox", "bin/busybox|usr/bin/busybox",
     ("armhf",), "trixie"),
    ("mosquitto", "mosquitto", "usr/sbin/mosquitto",
     ("armhf", "arm64"), "bookworm-backports"),
    ("curl", "curl", "usr/bin/curl", ("armhf", "amd64"),
     "bookworm-backports"),
]


class Missing(Exception):
    """The mirror has not what a pair needs; the text says what."""


def suites(arch):
    first = SINCE.get(arch, RELEASES[0])
    for release in RELEASES[RELEASES.index(first):]:
        for archive, suite in SUITES:
            if release == "bookworm" or "backports" not in suite:
                yield archive, suite.format(release)


class Apt:
    """A private apt for one architecture."""

    def __init__(self, folder, arch, mirror, say):
        self.dir = folder / arch
        self.arch = arch
        self.say = say
        for sub in ("lists/partial", "cache/archives/partial", "debs"):
            (self.dir / sub).mkdir(parents=True, exist_ok=True)
        (self.dir / "status").touch()
        (self.dir / "sources").mkdir(exist_ok=True)
        for archive, suite in suites(arch):
            # One list each: apt drops all lists of a suite, but of that suite
            # only, when one of its files fails.
            (self.dir / f"sources/{suite}.list").write_text(
                f"deb [signed-by={KEYRING}] {mirror}/{archive} {suite} main\n")
        (self.dir / "conf").write_text(f'''
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{self.dir}/sources";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{self.dir}";
Dir::State::status "{self.dir}/status";
Dir::Cache "{self.dir}/cache";
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
''')
        self.update()

    def run(self, *args, **more):
        return subprocess.run(
            args, env=dict(os.environ, APT_CONFIG=str(self.dir / "conf"),
                           LC_ALL="C"),
            capture_output=True, text=True, check=False, **more)

    def update(self):
        done = self.run("apt-get", "update")
        if done.returncode == 0:
            return
        for line in done.stdout.splitlines() + done.stderr.splitlines():
            if line.startswith("Err:"):
                self.say(f"{self.arch}: not to be had and left out: "
                         f"{line.split(' ', 1)[1]}")

    @functools.lru_cache(maxsize=None)
    def versions(self, package):
        """{version: set of suites}"""
        found = {}
        text = self.run("apt-cache", "madison", package).stdout
        for line in text.splitlines():
            _, version, source = [part.strip() for part in line.split("|")]
            suite = re.search(r" (\S+)/main ", source + " ")
            if suite and not source.endswith("Sources"):
                found.setdefault(version, set()).add(suite.group(1))
        return found

    @functools.lru_cache(maxsize=None)
    def unpack(self, package, version):
        """Folder with the content of the package."""
        safe = f"{package}_{version}".replace(":", "%3a")
        out = self.dir / "debs" / safe
        if (out / "done").exists():
            return out
        out.mkdir(exist_ok=True)
        got = self.run("apt-get", "download", f"{package}={version}", cwd=out)
        debs = list(out.glob("*.deb"))
        if got.returncode != 0 or len(debs) != 1:
            last = (got.stderr.strip().splitlines() or ["no file came"])[-1]
            raise Missing(f"{package} {version} ({self.arch}): {last}")
        subprocess.run(["dpkg-deb", "-x", debs[0], out / "root"], check=True)
        debs[0].unlink()
        (out / "done").touch()
        return out

    def program(self, package, version, pattern):
        root = self.unpack(package, version) / "root"
        files = [p for one in pattern.split("|") for p in root.glob(one)
                 if p.is_file() and not p.is_symlink()]
        if len(files) != 1:
            raise Missing(f"{package} {version} ({self.arch}): "
                          f"{pattern} is {len(files)} files, not one")
        data = files[0].read_bytes()
        if not is_elf(data):
            raise Missing(f"{package} {version}: {files[0].name} is no ELF")
        return data, str(files[0].relative_to(root))


def newer(a, b):
    return subprocess.run(["dpkg", "--compare-versions", a, "gt", b],
                          check=False).returncode == 0


def in_order(versions):
    return sorted(versions, key=functools.cmp_to_key(
        lambda a, b: newer(a, b) - newer(b, a)))


def short(old, new):
    """Two versions as few words: what differs of them."""
    old, new = [v.split(":", 1)[-1] for v in (old, new)]
    ups = [v.rsplit("-", 1)[0] for v in (old, new)]
    if ups[0] != ups[1]:
        pair = ups
    else:
        pair = [v.rsplit("-", 1)[-1].split("+")[-1] for v in (old, new)]
    return "-".join(re.sub(r"[^A-Za-z0-9.]", "_", v) for v in pair)


def steps(apt, package, target):
    """(old, new) versions to make pairs of."""
    release = SINCE.get(apt.arch, RELEASES[0])
    known = apt.versions(package)
    if not known:
        raise Missing(f"{package} ({apt.arch}): the mirror has none")

    def of(names):
        return in_order(v for v, s in known.items() if s & set(names))

    own = of([release, f"{release}-updates", f"{release}-security"])
    if target:
        new = of([target])
        if not new or not own or new[-1] == own[-1]:
            raise Missing(f"{package} ({apt.arch}): {target} has no other "
                          f"version than {release}")
        return [(own[-1], new[-1])]
    if len(own) < 2:
        raise Missing(f"{package} ({apt.arch}): the mirror has only "
                      f"{own[0] if own else 'none'} for {release}")
    return list(zip(own, own[1:]))


def pair(apt, name, package, pattern, versions, kind):
    (old, path), (new, _) = [apt.program(package, v, pattern)
                             for v in versions]
    if max(len(old), len(new)) > BIGGEST:
        raise Missing(f"{package} ({apt.arch}): {path} is over {BIGGEST} "
                      "bytes")
    if old == new:
        raise Missing(f"{package} ({apt.arch}): {path} is the same in "
                      f"{' and '.join(versions)}")
    return {"name": f"{name}-{apt.arch}-{short(*versions)}",
            "class": kind if kind == "upgrade" else apt.arch,
            "isa": machine(old), "old": old, "new": new,
            "source": {"package": package, "arch": apt.arch, "file": path,
                       "versions": list(versions)},
            "hints": {"pic": True, "old_regions": regions(old),
                      "new_regions": regions(new)}}


def pairs(work, mirror, say, archs):
    """Yields pairs; says which it could not make."""
    wanted = [(*row, None) for row in FIXES] + UPGRADES
    for arch in archs:
        apt = Apt(Path(work), arch, mirror, say)
        for name, package, pattern, where, target in wanted:
            if arch not in where:
                continue
            try:
                todo = steps(apt, package, target)
            except Missing as why:
                say(f"no pair: {why}")
                continue
            for versions in todo:
                try:
                    yield pair(apt, name, package, pattern, versions,
                               "upgrade" if target else "fix")
                except Missing as why:
                    say(f"no pair: {why}")
