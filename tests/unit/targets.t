#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""The Linux targets that the documents name, in several orders, from an empty build folder.

Each must make what it needs, whatever ran before.  They run in a copy of the tree with
stand-ins for expensive parts: fetched files are nearly empty, the kernel's source is a
Makefile that writes the files of a kernel build, compilers write empty programs, and QEMU
prints the lines of a good guest.  The scripts between these are the real ones.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vm"))
from vmtest import TOP, Tap  # noqa: E402

PAGES = ("README.md", "patches/README.md", "tests/linux/README.md")
# These need a git repository of the real source.
NOT_HERE = {"series", "series-check"}
MISSING = re.compile(r"not there|no such|no \w+ here|No rule to make|cannot be read|is missing", re.IGNORECASE)
# A demo compares only if there is a stock kernel.
MAY_MISS = re.compile(r"nothing: build/linux-6.1/stock/\S+: not there; .* make what is needed")

# Like Linux's Makefile it has no built-in rules.
KERNEL = r"""
MAKEFLAGS += -rR
O ?= .
out := $(or $(M),$(O))
export KCONFIG_ALLCONFIG
.PHONY: modules
allnoconfig olddefconfig:
	mkdir -p $(O)
	[ $(O) = . ] || printf 'O := .\ninclude %s/Makefile\n' $(CURDIR) >$(O)/Makefile
	[ ! -e "$$KCONFIG_ALLCONFIG" ] || cp $$KCONFIG_ALLCONFIG $(O)/.config
	[ ! -e $(O)/.config ] || sed -i /CONFIG_DROPPED/d $(O)/.config
bzImage:
	mkdir -p $(O)/arch/x86/boot $(O)/arch/x86/pvops
	touch $(O)/vmlinux $(O)/arch/x86/pvops/pvops_bench.ko
	echo kernel >$(O)/arch/x86/boot/bzImage
	sed -n '/^protected/,/^}/p' $(TOP)/tools/linux-guest.sh | grep -oE '[a-z_]+' | LC_ALL=C sort -u | \
		sed 's/^/0 T /' >$(O)/System.map
modules:
	touch $(out)/Module.symvers $(out)/pvops_sites.ko
modules_install:
	mkdir -p $(INSTALL_MOD_PATH)/lib/modules/6.1/kernel
	touch $(INSTALL_MOD_PATH)/lib/modules/6.1/kernel/ext4.ko
	echo kernel/ext4.ko: >$(INSTALL_MOD_PATH)/lib/modules/6.1/modules.dep
%.o:
	@echo "warning: indirect call found in RETPOLINE build; bad .pv_sites entry"
headers arch/x86/ arch/x86/pvops/:
"""
SELFTESTS = r"""
all_64:
	touch $(OUTPUT)/one_64 $(OUTPUT)/ldt_gdt_64
$(OUTPUT)/%:
	touch $@
"""

# name: script; each is a command on PATH.
COMMANDS = {
    # Writes the last argument, or the one behind -o.
    "gcc": r"""out=; while [ $# -gt 0 ]; do [ "$1" != -o ] || out=$2; shift; done
[ -z "$out" ] || { printf '#!/bin/sh\n' >"$out"; chmod +x "$out"; }""",
    "objcopy": 'for out; do :; done; echo section >"$out"',
    "strip": "",
    "clang-16": "",
    "ld.lld-16": "",
    "llvm-nm-16": "",
    # Does not compress.
    "xz": 'for name; do :; done; case $name in *.xz) cat "$name" ;; *) cat ;; esac',
    "patch": "",
    "spatch": "echo diff",
    "dpkg-query": "echo installed",
    # Takes a pattern, as apt does, for the packages of $PACKAGES.
    "apt-get": """for name; do
	case $name in Dir::State::lists=*) [ -z "$ANSWERS" ] || touch "${name#*=}/x_Packages" ;; esac
done
found=$(echo "$PACKAGES" | tr " " "\\n" | grep -e "$name") || { echo "E: Unable to locate package $name"; exit 100; }
touch "${found}"_0_all.deb""",
    "dpkg": r"""case $2 in
*linux-source*) mkdir -p "$3/usr/src"; cp "$STAND_INS/source.tar.xz" "$3/usr/src/linux-source-6.1.tar.xz" ;;
*initramfs*) folder=$3/usr/share/initramfs-tools; mkdir -p "$folder"
	echo 'auto_add_modules() { manual_add_modules ext4; }' >"$folder/hook-functions" ;;
*) folder=$3/usr/src/linux-config-6.1; mkdir -p "$folder"
	for flavour in amd64 cloud-amd64; do echo "$DEBIANS" >"$folder/config.amd64_none_$flavour.xz"; done ;;
esac""",
    # Rows have no file.  What a row finds wrong is among the lines that are read.
    "prove": r"""for test; do
	[ -e "$test" ] || case $test in tests/linux/*) tools/rows.py "$test" || : ;; esac
done""",
}

# Prints the lines of a good guest, for the row whose log is standard output.
QEMU = r"""#!/usr/bin/python3 -SE
import json, os, re, sys, tomllib
if "--version" in sys.argv:
    sys.exit(print("QEMU emulator version 0"))
with open(os.path.join(os.environ["THE_TREE"], "qemu-runs"), "a") as f:
    f.write("boot\n")
name = os.path.basename(os.readlink("/proc/self/fd/1"))
row = re.match(r"linux-[0-9.]+-([a-z0-9-]+)", name)
if not row:
    sys.exit(print("a boot of another kind"))
with open(os.path.join(os.environ["THE_TREE"], "tests/linux/envs.toml"), "rb") as f:
    envs = tomllib.load(f)["env"]
def value(env, key):
    return env[key] if key in env else value(envs[env["base"]], key) if "base" in env else None
env = envs[row[1]]
sites = json.dumps(dict(inline=1, call=1, nop=1, jump=0, indirect=0, failed=0, outline=1))
print("pvops-linux: user space reached")
print(f'@pvops cpus {value(env, "cpus")}\n@pvops platform {json.dumps(value(env, "platform") or "x")}')
print(f'@pvops backend {json.dumps(value(env, "backend"))}\n@pvops detected[] "x: y"')
print(f'@pvops user.levels {value(env, "levels") or 4}')
print(f"@pvops sites {sites}\n@pvops module.first_load {sites}\n@pvops module.last_load {sites}")
words = " ".join(sys.argv).replace(",,", ";")
packed = name.removesuffix("log") + "cpio"
if packed in words:
    with open(os.path.join("build/log", packed), "rb") as f:
        words = f.read().decode(errors="replace")
asked = re.findall(r"PARTS=([a-z,;]+)", words)
for part in re.split("[,;]", asked[-1]) if asked else "security module stress user selftests hotplug suspend".split():
    tests = ["files", "stray", "wx"] if part == "security" else ["one"]
    for test in tests:
        print(f"@test {part}/{test} PASS")
    print(f"pvops-linux: {part}: pass {len(tests)} fail 0 skip 0 timeout 0")
print("pvops-linux: end")
"""

# Stand-ins for scripts and rules that make parts of the mini guest's environments.
MAKERS = {"tools/fetch.sh": """case $1 in
xen) mkdir -p "${2%/*}"; echo xen >"$2" ;;
kernel*) mkdir -p "$2/modules"; touch "$2/modules/ext4.ko"; echo kernel >"$2/vmlinuz" ;;
*) mkdir -p "$2/bin"; echo xl >"$2/bin/xl" ;;
esac""",
          "tools/kvm-host.sh": 'mkdir -p "${2%/*}"; ls "$1/vmlinuz" >"$2"',
          "tools/xen-host.sh": 'mkdir -p "${3%/*}"; ls "$1/vmlinuz" "$2/bin/xl" >"$3"',
          "tools/packages.txt": "make\n",
          "tests/vmi/rom/build.mk": "$(B)/vmi/rom.bin:\n\t@mkdir -p $(@D); echo rom >$@\n",
          "tests/vmi/monitor/build.mk": "$(B)/vmi/monitor.elf:\n\t@mkdir -p $(@D); echo monitor >$@\n"}

LAYER = {("pvops",), ("backends",), ("include", "pvops"), ("patches", "linux"), ("patches", "cocci")}

# A check runs one row of each kind only.
CHECKED = "ROWS=native domu kvm xenhvm mm retpoline"


def documented():
    """make's words for each Linux target that a page names, and each configuration."""
    text = "".join((TOP / page).read_text(encoding="utf-8") for page in PAGES)
    found = {(name, "GUEST=linux") for name in re.findall(r"make ([a-z-]+) GUEST=linux", text)}
    configs = re.search(r'^config_names="(.*)"', (TOP / "tools/linux-configs.sh").read_text(encoding="utf-8"), re.M)[1]
    found |= {("linux", f"CONFIG={name}") for name in configs.split()}
    found |= {(name,) for name in re.findall(r"`make (linux|series|series-check)`", text)}
    return sorted(words for words in found if words[0] not in NOT_HERE)


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\nset -e\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def stand_ins(where):
    """The commands, and the kernel's source package."""
    for name, text in {**COMMANDS, "clang": COMMANDS["gcc"], "apt-cache": "", "qemu-system-x86_64": QEMU}.items():
        program(where / "bin" / name, text)
    source = where / "linux"
    files = {"Makefile": KERNEL, "arch/x86/use.c": "pv_ops\n", "arch/x86/kernel/kvm.c": "\n", "drivers/use.c": "\n", "scripts/unifdef.c": ""}
    for name in ("x86", "vm"):
        files |= {f"tools/testing/selftests/{name}/Makefile": SELFTESTS, f"tools/testing/selftests/{name}/a.c": ""}
    files["tools/testing/selftests/vm/compaction_test.c"] = ""
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text, encoding="utf-8")
    subprocess.run(["tar", "-cf", where / "source.tar.xz", "-C", where, "linux"], check=True)


def left_out(folder, names):
    """Files that the copy leaves out: built ones, and in folders of the layer all but one file."""
    folder = Path(folder)
    out = {".git", "__pycache__", "corpus"} | ({"build"} if folder == TOP else set())
    if folder.relative_to(TOP).parts[:2] in LAYER or folder.relative_to(TOP).parts[:1] in LAYER:
        out |= set([n for n in sorted(names) if (folder / n).is_file()][1:])
    return out & set(names)


def tree(where):
    """Copy the tree, without built files."""
    shutil.copytree(TOP, where, ignore=left_out)
    for path, text in MAKERS.items():
        if not path.endswith(".sh"):
            (where / path).write_text(text, encoding="utf-8")
        else:
            program(where / path, text)
    series = where / "patches/linux-6.1/series"
    series.write_text(series.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


def run(where, tools, words, packages="linux-source-6.1 linux-config-6.1 initramfs-tools-core", **more):
    """Run make in the copy, with these packages available: exit status, lines."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith("MAKE") and k not in ("MFLAGS", "GUEST", "CONFIG", "ROWS", "CC", "PROVE")}
    env |= {"PATH": f"{tools / 'bin'}:{env['PATH']}", "STAND_INS": str(tools), "THE_TREE": str(where), "TOP": str(where),
            "PACKAGES": packages, "DEBIANS": "", "KERNEL": "6.1", **more}
    rows = [CHECKED] if words[0] == "check" else []
    done = subprocess.run(["make", *words, *rows], cwd=where, env=env, text=True, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def without(tools, name):
    """A folder with all programs of this machine, and the stand-ins, except one."""
    folder = tools / f"without-{name}"
    folder.mkdir()
    for path in (str(tools / "bin"), *os.environ["PATH"].split(":")):
        for file in Path(path).glob("*"):
            if file.name != name and not (folder / file.name).is_symlink():
                (folder / file.name).symlink_to(file)
    return folder


def order(tools, chain):
    """[(good, what, [why not])], up to the first failure."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "tree"
        tree(where)
        for nr, words in enumerate(chain):
            status, said = run(where, tools, words)
            bad = [line for line in said if MISSING.search(line) and not MAY_MISS.fullmatch(line)]
            # There is no stand-in for the output of the measurement, so bench fails.
            if status and words[0] != "bench":
                bad += said[-8:]
            if words[0] == "bench" and not (where / "qemu-runs").exists():
                bad += ["nothing was booted", *said[-8:]]
            before = f"{len(chain[:nr])} others, {' '.join(chain[nr - 1])} the last" if nr else "nothing"
            out.append((not bad, f"make {' '.join(words)}, after {before}", bad))
            if bad:
                break
    return out


def main():
    tap = Tap()
    targets = documented()
    names = {words[0] for words in targets}
    tap.ok(len(targets) > 9 and {"demo", "bench", "check", "faults", "linux"} <= names,
           f"the documents name {len(targets)} targets", *map(str, targets))
    bench, demo = ("bench", "GUEST=linux"), ("demo", "GUEST=linux")
    # As the first target only one configuration is tried: only what they boot differs.
    first = [words for words in targets if words[0] != "linux" or words[1:] == ("CONFIG=hard",)]
    chains = [targets, targets[::-1], [bench, demo], *([words] for words in first if words != bench)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        tools = Path(folder)
        stand_ins(tools)
        for results in pool.map(lambda chain: order(tools, chain), chains):
            for good, what, why in results:
                tap.ok(good, what, *why)
        tree(tools / "tree")
        status, said = run(tools / "tree", tools, ("linux",), "linux-source-6.12")
        tap.equal((status > 0, [line for line in said if not line.startswith(("  ", "make"))]),
                  (True, ["suites: linux-source-6.1: no archive answers: E: Unable to locate package ^linux-source-6.1$"]),
                  "make linux, and no archive: one line")
        status, said = run(tools / "tree", tools, ("linux",), "linux-source-6.12", ANSWERS="yes")
        tap.equal([line for line in said if "no suite of Debian has it" in line and line.startswith("suites: linux-source-6.1: ")] != [],
                  True, "make linux, and no suite has the source: a line says so")
        done = subprocess.run(["tools/linux.sh", "unpack"], cwd=tools / "tree", capture_output=True, check=False, env={
            **os.environ, "PATH": f"{tools / 'bin'}:{os.environ['PATH']}", "PACKAGES": "linux-source-6.12", "ANSWERS": "yes", "KERNEL": "6.1"})
        tap.equal(done.returncode, 3, "tools/linux.sh unpack says so by its exit status, which skips the release in CI")
        for variable, value, why in (
                ("KERNEL", "5.4", "no series for this release; there are: 6.1 6.12 7.2"), ("TREE", "/nowhere", "no source of Linux")):
            status, said = run(tools / "tree", tools, ("linux",), **{variable: value})
            tap.equal((status > 0, [line.strip() for line in said if not line.startswith(("  ", "make"))]),
                      (True, [f"release: {variable}={value}: {why}"]), f"make linux {variable}={value}: one line")
        for name, words, said_in, more in (
                ("an option of Debian's is lost", "CONFIG=cloud", "build/linux-6.1/cloud: not as Debian's: < CONFIG_DROPPED=y",
                 {"DEBIANS": "CONFIG_DROPPED=y"}),
                ("no clang", "CONFIG=clang", "tools/linux.sh: clang-16: not here: apt-get install clang-16 lld-16 llvm-16",
                 {"PATH": str(without(tools, "clang-16"))})):
            status, said = run(tools / "tree", tools, ("linux", words), **more)
            tap.equal((status > 0, [line for line in said if not line.startswith(("  ", "make"))]), (True, [said_in]),
                      f"make linux {words}, {name}: one line")
    tap.done()


main()
