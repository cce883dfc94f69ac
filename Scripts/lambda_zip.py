#!/usr/bin/env python3
"""Makes of a release-built program a zip that starts as a Lambda function on `provided.al2023`.

    Scripts/lambda_zip.py PROGRAM [ZIP]            the zip is .build/lambda/PROGRAM.zip unless it is named
    Scripts/lambda_zip.py --unpack ZIP FOLDER      lays out what is in it, with its rights
    Scripts/lambda_zip.py --architecture ZIP       says what Lambda calls the processor that it is for

The program's Swift runtime has to be linked in. If it asks for no newer C library than Amazon Linux 2023 has, and for no
other library, it is the zip's `bootstrap` as it is. Else the zip brings the loader and all libraries from here, and its
`bootstrap` is a small program that starts the other one with them. The same program makes the same zip, byte by byte. Its
processor is that of this machine.
"""

import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

SCRIPTS = pathlib.Path(__file__).resolve().parent
LAUNCHER = SCRIPTS / "lambda_zip_launcher.c"
OUTPUT = SCRIPTS.parent / ".build" / "lambda"
# What Amazon Linux 2023 has of the C library, and its files. That others are in the minimal image is promised by nobody.
GLIBC_MAX = (2, 34)
GLIBC = re.compile(r"^(ld-linux.*|lib(c|m|dl|pthread|rt|util))\.so\.\d+$")
# The part of a 64-bit ELF file that names the loader.
PT_INTERP = 3
ARCHITECTURES = {62: "x86_64", 183: "arm64"}
# Lambda's own limit for what a zip holds.
UNPACKED_MAX = 250 << 20


def fail(problem):
    sys.exit(f"lambda_zip: {problem}")


def run(*command):
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except FileNotFoundError:
        fail(f"there is no {command[0]} here; install binutils and a C compiler")
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def libraries_needed(program):
    header = run("readelf", "--file-header", "--wide", program)
    if not re.search(r"Type:\s+(DYN|EXEC)", header):
        fail(f"{program} is no program")
    machine = re.search(r"Machine:\s+(.*)", header).group(1).strip()
    dynamic = run("readelf", "--dynamic", "--wide", program)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    swift = [name for name in needed if name.startswith(("libswift", "libFoundation", "lib_Foundation"))]
    if swift:
        fail(f"{program} needs {swift[0]} and others of Swift; build it with --static-swift-stdlib")
    return machine, needed


def glibc_wanted(program):
    """The newest version of the C library that a symbol of the program asks for."""
    found = re.findall(r"\bGLIBC_(\d+)\.(\d+)\b", run("readelf", "--version-info", "--wide", program))
    return max(((int(major), int(minor)) for major, minor in found), default=(0, 0))


def libraries_found(program):
    """The loader, and every library by the name that it is asked for by; those of libraries too."""
    loader, found = None, {}
    for line in run("ldd", program).splitlines():
        if "not found" in line:
            fail(f"{line.split()[0]}, which {program} needs, is not on this machine")
        if match := re.match(r"\s*(\S+) => (/\S+) \(", line):
            found[match.group(1)] = pathlib.Path(match.group(2))
        elif match := re.match(r"\s*(/\S*/(ld-linux\S*)) \(", line):
            loader = (match.group(2), pathlib.Path(match.group(1)))
    if loader is None:
        loader = next(((name, path) for name, path in found.items() if name.startswith("ld-linux")), None)
    if loader is None:
        fail(f"ldd names no loader for {program}")
    found[loader[0]] = loader[1]
    return loader[0], found


def bundle(program, folder):
    loader, libraries = libraries_found(program)
    lib = folder / "lib"
    lib.mkdir()
    for name, path in libraries.items():
        shutil.copy(path, lib / name)
    strip(program, lib / program.name)
    set_loader(lib / program.name, f"lib/{loader}")
    compiler = shutil.which("cc") or shutil.which("clang") or fail("there is no C compiler here, neither cc nor clang")
    run(compiler, "-Os", "-static", "-s", "-Wall", "-Wextra", "-Werror", "-Wl,--build-id=none",
        f'-DPROGRAM="{program.name}"', LAUNCHER, "-o", folder / "bootstrap")
    # What the loader finds in lib/ is all that it takes; a library from elsewhere would be missing there.
    listed = run("env", "-i", lib / loader, "--inhibit-cache", "--library-path", lib, "--list", lib / program.name)
    for path in re.findall(r"=> (/\S+)", listed):
        if pathlib.Path(path).parent not in (lib, lib.resolve()):
            fail(f"{path} is not in the zip, and would be taken from the machine")
    return len(libraries)


def set_loader(program, path):
    """Writes another loader over the one that a program names, where the new path is no longer.

    A path that begins with no slash is looked up from the current folder.
    """
    content = bytearray(program.read_bytes())
    headers, size, count = struct.unpack_from("<Q", content, 32)[0], *struct.unpack_from("<HH", content, 54)
    for header in range(headers, headers + size * count, size):
        if struct.unpack_from("<I", content, header)[0] != PT_INTERP:
            continue
        place, length = struct.unpack_from("<Q", content, header + 8)[0], struct.unpack_from("<Q", content, header + 32)[0]
        if len(path) >= length:
            fail(f"{program.name} has room for a loader's path of {length - 1} bytes, and {path} is longer")
        content[place:place + length] = path.encode().ljust(length, b"\0")
        program.write_bytes(content)
        return
    fail(f"{program.name} names no loader")


def strip(program, target):
    shutil.copy(program, target)
    run("strip", "--strip-all", target)


def write(folder, target):
    """Times, rights and order are always the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = path.read_bytes()
            size += len(content)
            archive.writestr(entry, content)
    if size > UNPACKED_MAX:
        target.unlink()
        fail(f"unpacked it is {size:,} bytes, and Lambda takes {UNPACKED_MAX:,}")
    return size


def unpack(archive, folder):
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            pathlib.Path(opened.extract(entry, folder)).chmod(entry.external_attr >> 16)


def architecture(archive):
    with zipfile.ZipFile(archive) as opened:
        machine = struct.unpack_from("<H", opened.read("bootstrap"), 18)[0]
    return ARCHITECTURES.get(machine) or fail(f"{archive} is for a processor that Lambda does not have")


def make(program, target):
    if not program.is_file():
        fail(f"there is no {program}; build it first")
    machine, needed = libraries_needed(program)
    wanted = glibc_wanted(program)
    strange = [name for name in needed if not GLIBC.match(name)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if wanted <= GLIBC_MAX and not strange:
            strip(program, folder / "bootstrap")
            how = f"asks for glibc {wanted[0]}.{wanted[1]} and nothing else, and is the bootstrap itself"
        else:
            count = bundle(program, folder)
            why = [f"glibc {wanted[0]}.{wanted[1]}"] * (wanted > GLIBC_MAX) + strange
            how = f"asks for {', '.join(why)}; {count} libraries are in the zip, the loader among them"
        size = write(folder, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, unpacked {size / 1e6:.1f} MB, {machine}")
    print(f"{program.name} {how}")


def main():
    match sys.argv[1:]:
        case ["--unpack", archive, folder]:
            unpack(archive, folder)
        case ["--architecture", archive]:
            print(architecture(archive))
        case [name, *rest] if not name.startswith("-") and len(rest) <= 1:
            program = pathlib.Path(name).resolve()
            make(program, pathlib.Path(rest[0]) if rest else OUTPUT / f"{program.name}.zip")
        case _:
            sys.exit(__doc__)


main()
