"""Looks at what `sam build` left.

  artifact.py FOLDER ARCHITECTURE

The function's folder must hold the program and nothing else: an ELF file for the architecture that the C library of
provided.al2023 can load, stripped, with tables to unwind by, since a panic in a rule must not end it.
"""
import pathlib, re, struct, sys

MACHINES = {"x86_64": 62, "arm64": 183}
# Amazon Linux 2023.
GLIBC = (2, 34)
# A zip file of up to 50 MB may be uploaded; a quarter of that would be a dependency that nobody meant.
MAX_SIZE = 20_000_000
# An ELF file whose own code aborts on a panic keeps the tables of the standard library alone, some 20 KB.
MIN_TABLES = 60_000


def sections(elf):
    start, = struct.unpack_from("<Q", elf, 40)
    size, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQ", elf, start + n * size) for n in range(count)]
    base = headers[names][4]
    name = lambda at: elf[base + at:elf.index(b"\0", base + at)].decode()
    return {name(header[0]): header[5] for header in headers}


def main():
    folder, architecture = pathlib.Path(sys.argv[1]), sys.argv[2]
    faults = []
    say = lambda wrong, what: faults.append(what) if wrong else None
    names = sorted(path.name for path in (folder / "Function").iterdir())
    say(names != ["bootstrap"], f"the function's folder holds {names}")
    program = folder / "Function/bootstrap"
    elf = program.read_bytes()
    say(not program.stat().st_mode & 0o111, "bootstrap is not executable")
    say(elf[:5] != b"\x7fELF\x02", "bootstrap is no ELF file of 64 bits")
    machine, = struct.unpack_from("<H", elf, 18)
    say(machine != MACHINES[architecture], f"bootstrap is for machine {machine}, not for {architecture}")
    found = sections(elf)
    say(".symtab" in found, "bootstrap is not stripped")
    tables = found.get(".gcc_except_table", 0)
    say(tables < MIN_TABLES, f"bootstrap has {tables} bytes of tables to unwind by: does it abort on a panic?")
    needed = {tuple(map(int, v.split(b"."))) for v in re.findall(rb"GLIBC_(\d+\.\d+)\b", elf)}
    say(needed and max(needed) > GLIBC, f"bootstrap needs glibc {max(needed, default=())}, and Lambda has {GLIBC}")
    say(len(elf) > MAX_SIZE, f"bootstrap has {len(elf)} bytes")
    say(b"MAILWRIGHT_STAMP_KEY" not in elf, "bootstrap is not the function")
    # The command's dependencies would be there if it were not built lean.
    say(b"clap_builder" in elf, "bootstrap holds the command as well")

    template = (folder / "template.yaml").read_text()
    layer = (folder / re.search(r"ContentUri: (\S+)", template)[1]).resolve()
    rules = sorted(path.name for path in layer.glob("*.toml"))
    say(not rules, "the layer has no rule file at its top")
    for fault in faults:
        print(fault)
    glibc = ".".join(map(str, max(needed, default=("none",))))
    print(f"bootstrap: {architecture}, {len(elf) / 1e6:.1f} MB, {tables / 1e3:.0f} KB of unwinding tables, glibc {glibc}; "
          f"layer: {len(rules)} rule files; {len(faults)} faults")
    return bool(faults)


sys.exit(main())
