"""The Consume tab: the request body and ready-made snippets for an endpoint or pipeline."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from endpoints.parameters import Kind, Parameter
from endpoints.wire.examples import example, trigger_body
from runs.wire.submission import Trigger, described


@dataclass(frozen=True)
class Call:
    """Where to send which request."""

    url: str
    experiment: str
    parameters: Mapping[str, Parameter]
    sdk_lookup: str  # the SDK expression that finds the object

    @property
    def body(self) -> dict:
        return trigger_body(self.experiment, self.parameters.values())


def snippets(call: Call) -> list[dict]:
    """A dict with label and code for each language."""
    text = json.dumps(call.body, indent=2, ensure_ascii=False)
    line = json.dumps(call.body, ensure_ascii=False)
    return [
        {"label": "curl", "code": _curl(call, text)},
        {"label": "Python (requests)", "code": _requests(call, text)},
        {"label": "Python (SDK v1)", "code": _sdk(call)},
        {"label": "C#", "code": _csharp(call, text)},
        {"label": "Java", "code": _java(call, line)},
        {"label": "JavaScript", "code": _javascript(call, text)},
        {"label": "PowerShell", "code": _powershell(call, text)},
    ]


def _curl(call: Call, text: str) -> str:
    body = text.replace("'", "'\\''")
    return (
        f"curl -X POST '{call.url}' \\\n"
        '  -H "Authorization: Bearer $STUDIO_TOKEN" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{body}'"
    )


def _requests(call: Call, text: str) -> str:
    # All values are texts, so JSON is also a Python literal here.
    return (
        "import os\n\nimport requests\n\n"
        f'body = {text}\n'
        "answer = requests.post(\n"
        f'    "{call.url}",\n'
        "    headers={\"Authorization\": f\"Bearer {os.environ['STUDIO_TOKEN']}\"},\n"
        "    json=body,\n)\n"
        "answer.raise_for_status()\n"
        'print(answer.json()["Id"])'
    )  # fmt: skip


def _sdk(call: Call) -> str:
    names = {
        name: example(parameter)
        for name, parameter in call.parameters.items()
        if parameter.kind is not Kind.DATASET and parameter.kind is not Kind.DATAPATH
    }
    values = json.dumps(names, indent=4, ensure_ascii=False).replace("\n", "\n    ")
    return (
        "from azureml.core import Workspace\n"
        "from azureml.pipeline.core import PipelineEndpoint, PublishedPipeline\n\n"
        "workspace = Workspace.from_config()\n"
        f"run = {call.sdk_lookup}(\n"
        f"    experiment_name={_quoted(call.experiment)},\n"
        f"    pipeline_parameters={values},\n)\n"
        "run.wait_for_completion()"
    )


def _csharp(call: Call, text: str) -> str:
    body = text.replace('"', '""')
    return (
        "using var client = new HttpClient();\n"
        "client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(\n"
        '    "Bearer", Environment.GetEnvironmentVariable("STUDIO_TOKEN"));\n'
        f'var body = @"{body}";\n'
        "var answer = await client.PostAsync(\n"
        f'    "{call.url}",\n'
        '    new StringContent(body, Encoding.UTF8, "application/json"));\n'
        "answer.EnsureSuccessStatusCode();\n"
        "Console.WriteLine(await answer.Content.ReadAsStringAsync());"
    )


def _java(call: Call, line: str) -> str:
    return (
        f"String body = {_quoted(line)};\n"
        "HttpRequest request = HttpRequest.newBuilder()\n"
        f'    .uri(URI.create("{call.url}"))\n'
        '    .header("Authorization", "Bearer " + System.getenv("STUDIO_TOKEN"))\n'
        '    .header("Content-Type", "application/json")\n'
        "    .POST(HttpRequest.BodyPublishers.ofString(body))\n"
        "    .build();\n"
        "HttpResponse<String> answer = HttpClient.newHttpClient()\n"
        "    .send(request, HttpResponse.BodyHandlers.ofString());\n"
        "System.out.println(answer.statusCode() + \" \" + answer.body());"
    )  # fmt: skip


def _javascript(call: Call, text: str) -> str:
    return (
        f"const body = {text};\n"
        f'const answer = await fetch("{call.url}", {{\n'
        '  method: "POST",\n'
        "  headers: {\n"
        "    Authorization: `Bearer ${process.env.STUDIO_TOKEN}`,\n"
        '    "Content-Type": "application/json",\n'
        "  },\n"
        "  body: JSON.stringify(body),\n"
        "});\n"
        "console.log(answer.status, (await answer.json()).Id);"
    )


def _powershell(call: Call, text: str) -> str:
    return (
        f"$body = @'\n{text}\n'@\n"
        "$answer = Invoke-RestMethod -Method Post `\n"
        f"  -Uri '{call.url}' `\n"
        '  -Headers @{ Authorization = "Bearer $env:STUDIO_TOKEN" } `\n'
        # Windows PowerShell sends text as Latin-1 by default.
        "  -ContentType 'application/json; charset=utf-8' `\n"
        "  -Body ([System.Text.Encoding]::UTF8.GetBytes($body))\n"
        "$answer.Id"
    )


def _quoted(text: str) -> str:
    """A string literal that is valid in Python and in Java."""
    return json.dumps(text, ensure_ascii=False)


def endpoint_lookup(name: str) -> str:
    return f"PipelineEndpoint.get(workspace, name={_quoted(name)}).submit"


def pipeline_lookup(uuid) -> str:
    return f'PublishedPipeline.get(workspace, id="{uuid}").submit'


def auth_lines() -> list[str]:
    return [
        _("Send one of your tokens with every call: Authorization: Bearer <token>."),
        _("A client that knows only Azure can exchange the token for a short-lived one at /<tenant>/oauth2/token."),
    ]  # fmt: skip


def body_lines() -> list[str]:
    return [
        _("Keys may be in any case. An unknown or repeated key gets a warning; a strict endpoint refuses it."),
        _("The reply has states as words. A client written for v1's first description, which had numbers, adds ?enums=int to the address, or enums=int to its Accept header."),
    ]  # fmt: skip


def page(call: Call, *, limited_to=None) -> dict:
    """The context of a Consume tab; `limited_to` is the endpoint that a new token would be limited
    to."""
    token_url = reverse("core:token-new")
    return {
        "rest_url": call.url,
        "snippets": snippets(call),
        "body_keys": described(Trigger),
        "body_lines": body_lines(),
        "auth_lines": auth_lines(),
        "token_url": f"{token_url}?endpoint={limited_to}" if limited_to else token_url,
        "token_limited": bool(limited_to),
    }
