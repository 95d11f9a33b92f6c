"""Holds compose files to the Compose specification, and to what every service of ours must be.

compose_viz carries the specification's JSON schema as a model that forbids what the schema does not know; compose_spec
parses what stands in the fields: ports, durations, mounts. Prints one line for each file.
"""

import sys
from pathlib import Path

import yaml
from compose_spec import PyCompose
from compose_viz.spec.compose_spec import ComposeSpecification


def check(path: Path) -> list[str]:
    """What is wrong with a file."""
    project = yaml.safe_load(path.read_text(encoding="utf-8"))
    # The specification lets names that begin with x- stand anywhere at the top; the model does not know that.
    ComposeSpecification.model_validate({key: value for key, value in project.items() if not key.startswith("x-")})
    # Its YAML reader knows no merge keys, so it is given what they come to.
    PyCompose.from_yaml(yaml.safe_dump(project))
    services = project["services"]
    wrong = []
    for name, service in services.items():
        wrong += [f"{name}: {what}" for what in check_mounts(path.parent, service, project)]
        for other in service.get("depends_on", []):
            if other not in services:
                wrong.append(f"{name}: depends on {other}, which is none of these services")
        if service["image"] == "chopmark":
            wrong += [f"{name}: {what}" for what in check_node(service)]
        elif ":" not in service["image"] or service["image"].endswith(":latest"):
            wrong.append(f"{name}: the image {service['image']} names no version")
    addresses = [address for service in services.values() if (address := fixed_address(service))]
    if len(addresses) != len(set(addresses)):
        wrong.append(f"an address is given twice: {addresses}")
    return wrong


def fixed_address(service: dict) -> str | None:
    networks = service.get("networks", {})
    return networks["chopmark"].get("ipv4_address") if isinstance(networks, dict) and networks else None


def check_mounts(folder: Path, service: dict, project: dict) -> list[str]:
    """Everything that is mounted is there, or is declared."""
    wrong = []
    for mount in service.get("volumes", []):
        if mount["type"] == "bind" and not (folder / mount["source"]).exists():
            wrong.append(f"{mount['source']} does not exist")
        if mount["type"] == "volume" and mount["source"] not in project["volumes"]:
            wrong.append(f"the volume {mount['source']} is not declared")
    for secret in service.get("secrets", []):
        name = secret if isinstance(secret, str) else secret["source"]
        if name not in project["secrets"]:
            wrong.append(f"the secret {name} is not declared")
    return wrong


def check_node(service: dict) -> list[str]:
    """What keeps a process of ours small."""
    wrong = []
    if service.get("read_only") is not True:
        wrong.append("its root file system can be written")
    if service.get("cap_drop") != ["ALL"]:
        wrong.append("it keeps capabilities")
    if "no-new-privileges:true" not in service.get("security_opt", []):
        wrong.append("it may gain privileges")
    if fixed_address(service) is None:
        wrong.append("the proxy and Prometheus know it by address, and it has none")
    return wrong


def secret_files(path: Path) -> set[str]:
    """The files that must be under secrets/."""
    project = yaml.safe_load(path.read_text(encoding="utf-8"))
    files = {secret["file"] for secret in project["secrets"].values()}
    return files | {file for service in project["services"].values() for file in service.get("env_file", [])}


def main() -> int:
    folder = Path(sys.argv[1])
    wrong = []
    for path in [folder / "single.yaml", folder / "cluster.yaml"]:
        found = check(path)
        # `secrets/` is there where make-secrets has run.
        found += [f"make-secrets does not make {file}" for file in secret_files(path) if not (folder / file).exists()]
        print(f"{path.name}: {len(found)} wrong")
        wrong += [f"{path.name}: {what}" for what in found]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
