"""/docs: the contract as a page that needs no other server. FastAPI's own page loads its program from a CDN."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Every address with what it takes and gives, written from /openapi.json."""
    schema = request.app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            entry = {"method": method.upper(), "path": path, **operation}
            groups.setdefault(operation["tags"][0], []).append(entry)
    return HTMLResponse(_PAGE.render(info=schema["info"], groups=groups, schemas=schema["components"]["schemas"]))


def _name(schema: dict[str, Any]) -> str:
    """A short name of a JSON schema, as a reader would say it."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(_name(option) for option in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_name(schema.get('items', {}))}"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    return str(schema.get("format") or schema.get("const") or schema.get("type") or "any JSON")


_environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
_environment.filters["name"] = _name
_environment.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
_PAGE = _environment.from_string("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ info.title }} API {{ info.version }}</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
  h2 { border-bottom: 2px solid; text-transform: capitalize }
  summary { cursor: pointer; padding: .3rem 0 }
  code, pre { font: 14px/1.4 ui-monospace, monospace }
  pre { background: #f3f3f3; padding: .8rem; overflow: auto }
  .method { display: inline-block; min-width: 4rem; font-weight: bold }
  table { border-collapse: collapse } td { padding: .15rem 1rem .15rem 0; vertical-align: top }
  @media (prefers-color-scheme: dark) {
    body { background: #161616; color: #eee } pre { background: #262626 } a { color: #9cf }
  }
</style>
<h1>{{ info.title }} API {{ info.version }}</h1>
{% for paragraph in info.description.strip().split("\\n\\n") %}
<p>{{ paragraph }}</p>
{% endfor %}
<p>For machines: <a href="/openapi.json">/openapi.json</a></p>
{% for group, operations in groups.items() %}
<h2>{{ group }}</h2>
{% for operation in operations %}
<details>
<summary><code><span class="method">{{ operation.method }}</span> {{ operation.path }}</code> {{ operation.summary }}
</summary>
<p>{{ operation.description }}</p>
<table>
{% for parameter in operation.parameters or () %}
<tr><td><code>{{ parameter.name }}</code><td>{{ parameter.in }}{{ ", needed" if parameter.required }}
<td>{{ parameter.schema | name }}<td>{{ parameter.description or "" }}
{% endfor %}
{% for kind, content in ((operation.requestBody or {}).content or {}).items() %}
<tr><td>body<td><code>{{ kind }}</code><td>{{ content.schema | name }}
<td>{{ (content.schema.properties or {}) | join(", ") }}
{% endfor %}
{% for status, answer in operation.responses.items() %}
<tr><td>{{ status }}<td colspan="2">{{ answer.description }}
<td>{% for content in (answer.content or {}).values() %}{{ (content.schema or {}) | name }} {% endfor %}
{% endfor %}
</table>
</details>
{% endfor %}
{% endfor %}
<h2>documents</h2>
{% for name, schema in schemas.items() %}
<details id="{{ name }}">
<summary><code>{{ name }}</code> {{ (schema.description or "").split("\\n")[0] }}</summary>
<table>
{% for field, inner in (schema.properties or {}).items() %}
<tr><td><code>{{ field }}</code><td>{{ "needed" if field in (schema.required or ()) }}<td>{{ inner | name }}
<td>{{ inner.description or "" }}
{% endfor %}
</table>
{% if schema.examples %}<pre>{{ schema.examples[0] | pretty }}</pre>{% endif %}
</details>
{% endfor %}
</html>
""")
