"""What the API's documentation says of every route: its summary, the scope that it takes, what each refusal means."""

from typing import Any

from ninja import NinjaAPI

REFUSALS = {
    401: "`token`: there is none, or it is not one of ours, revoked or expired",
    403: "`scope`: the token may not do this",
    404: "`not_found`: there is no such thing in the token's base",
    409: "`conflict`, `not_examined`, `lost`, `too_many`, `not_meant`: not as things are now; look at them again",
    422: "`wrong`, `personal_data` or why a file cannot be read, such as `too_large`: another request is needed",
    429: "`too_many`: try again later",
    503: "`unavailable`: nobody has answered in time; try again",
}


class DocumentedAPI(NinjaAPI):
    """An API whose views' docstrings are its documentation; `scope` of a view is what `door.needs` asks for."""

    def get_openapi_schema(self, **options: Any) -> Any:
        """As ninja makes it, and complete."""
        schema = super().get_openapi_schema(**options)
        for _, view in (one for router in self._routers for one in router[1].path_operations.items()):
            for operation in view.operations:
                documented = _operation(schema, operation.operation_id or self.get_openapi_operation_id(operation))
                told = documented.get("description", "")
                documented["summary"] = told.split("\n")[0].split(". ")[0].split("; ")[0].rstrip(".")
                scope = getattr(operation.view_func, "scope", "read")
                documented["description"] = f"{told}\n\nScope: `{scope}`."
                for status, response in documented["responses"].items():
                    response["description"] = REFUSALS.get(int(status), response["description"])
        return schema


def _operation(schema: Any, id_: str) -> Any:
    return next(
        one for methods in schema["paths"].values() for one in methods.values() if one.get("operationId") == id_
    )
