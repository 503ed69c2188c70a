"""crds.py LIST OUT: downloads the Go modules of LIST, refuses those whose checksum is another, and puts the files named there into OUT/SET/."""
import json, pathlib, subprocess, sys, zipfile

rows = [line.split() for line in open(sys.argv[1]) if line.strip() and not line.startswith("#")]
pinned = {f"{module}@{version}": checksum for _, module, version, checksum, _ in rows}
said = subprocess.run(["go", "mod", "download", "-json", *pinned], stdout=subprocess.PIPE, text=True).stdout
decoder, found = json.JSONDecoder(), {}
while said.strip():
    module, end = decoder.raw_decode(said.lstrip())
    said = said.lstrip()[end:]
    found[f"{module['Path']}@{module['Version']}"] = module
for name, checksum in pinned.items():
    module = found.get(name, {})
    if module.get("Sum") != checksum:
        sys.exit(f"{name}: {module.get('Error') or 'checksum ' + str(module.get('Sum')) + ' is not the pinned one'}")
for kind, module, version, _, path in rows:
    target = pathlib.Path(sys.argv[2], kind, path.rsplit("/", 1)[-1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(found[f"{module}@{version}"]["Zip"]) as archive:
        target.write_bytes(archive.read(f"{module}@{version}/{path}"))
