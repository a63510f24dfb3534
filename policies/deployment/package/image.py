"""The OCI image, written without a container engine.

Its settings are the instructions of the Containerfile's last stage, and its files are those that the
Containerfile makes: the static binary, roots of trust for TLS, a user, and a folder for the ledger. The
archive is an OCI layout, and has the manifest.json with which any `docker load` takes it.
"""
import hashlib
import json
import re
import shlex
from datetime import datetime, timezone
from pathlib import Path
from typing import Dict, List, NamedTuple

from archive import Entry, of_folder, tar, zipped

HUB = Path(__file__).resolve().parents[1] / "hub"
CONTAINERFILE = HUB / "Containerfile"
# /etc/passwd and /etc/group, for this user.
ROOTFS = HUB / "rootfs"
USER = 65532
# Where the system has its certificates, on Debian and Ubuntu, then on Fedora and Amazon Linux.
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


class Image(NamedTuple):
    """An archive, and the digest by which a registry names the image in it."""

    archive: bytes
    digest: str


def certificates() -> Path:
    """The system's roots of trust, which rustls looks for in the same places."""
    for place in CERTIFICATES:
        if Path(place).is_file():
            return Path(place)
    raise FileNotFoundError(f"no certificates at {' or '.join(CERTIFICATES)}")


def files(binary: bytes, roots: bytes, licence: bytes) -> List[Entry]:
    return [
        Entry("usr/bin/rescind", 0o755, binary),
        Entry("usr/share/doc/rescind/LICENSE", 0o644, licence),
        # Where it is looked for first.
        Entry(CERTIFICATES[0].lstrip("/"), 0o644, roots),
        *of_folder(ROOTFS),
        Entry("etc/rescind", 0o755),
        Entry("var/lib/rescind", 0o700, owner=USER),
        Entry("tmp", 0o1777),
    ]


def settings(containerfile: str, **arguments: str) -> Dict:
    """The image's settings by the instructions of a Containerfile's last stage."""
    stage = re.sub(r"\\\n", " ", re.split(r"(?m)^FROM .*$", containerfile)[-1])
    stage = re.sub(r"\$\{(\w+)\}", lambda found: arguments[found[1]], stage)
    found: Dict = {"Labels": {}}
    for word, rest in re.findall(r"(?m)^([A-Z]+) +(.+)$", stage):
        if word in ("ENTRYPOINT", "CMD"):
            found[word.capitalize()] = json.loads(rest)
        elif word in ("USER", "WORKDIR", "STOPSIGNAL"):
            found[{"USER": "User", "WORKDIR": "WorkingDir", "STOPSIGNAL": "StopSignal"}[word]] = rest.strip()
        elif word == "LABEL":
            found["Labels"].update(pair.split("=", 1) for pair in shlex.split(rest))
        elif word not in ("COPY", "ARG"):
            raise ValueError(f"{word} is not known here")
    return found


def write(entries: List[Entry], config: Dict, *, machine: str, name: str, epoch: int) -> Image:
    """An image of one layer. NAME is what it is called when it is loaded: `rescind:0.1.0`."""
    created = datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    plain = tar(entries, epoch)
    blobs: Dict[str, bytes] = {}

    def blob(kind: str, content: bytes) -> Dict:
        blobs[digest(content)] = content
        return {"mediaType": kind, "digest": digest(content), "size": len(content)}

    layer = blob(LAYER, zipped(plain))
    of_config = blob(CONFIG, text({
        "created": created,
        "architecture": machine,
        "os": "linux",
        "config": {**config, "Labels": {**config["Labels"], "org.opencontainers.image.created": created}},
        "rootfs": {"type": "layers", "diff_ids": [digest(plain)]},
        "history": [{"created": created, "created_by": "make package"}],
    }))
    manifest = blob(MANIFEST, text({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": of_config, "layers": [layer],
    }))
    place = lambda each: f"blobs/{each['digest'].replace(':', '/')}"
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [{
        **manifest,
        "platform": {"architecture": machine, "os": "linux"},
        "annotations": {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": f"docker.io/library/{name}"},
    }]}
    for_docker = [{"Config": place(of_config), "RepoTags": [name], "Layers": [place(layer)]}]
    layout = [
        Entry("oci-layout", 0o644, text({"imageLayoutVersion": "1.0.0"})),
        Entry("index.json", 0o644, text(index)),
        Entry("manifest.json", 0o644, text(for_docker)),
        *(Entry(f"blobs/{each.replace(':', '/')}", 0o644, content) for each, content in blobs.items()),
    ]
    return Image(tar(layout, epoch), manifest["digest"])


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def text(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
