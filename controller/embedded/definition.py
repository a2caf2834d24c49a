"""What a connection is made of: where rows come from and go to, or which program to run. Checked strictly, unknown keys refused."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.alias_generators import to_camel

NAME_LENGTH_MAX = 128  # ids and table names; longer ones are accidents
ARGUMENTS_MAX = 256  # of one command
SHORT_TEXT_LENGTH_MAX = 4_096  # paths, arguments, values of environment variables: Linux's PATH_MAX
ROWS_MAX = 1_000_000_000  # of one generated sync
ROWS_PER_SECOND_MAX = 1_000_000.0

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$", max_length=NAME_LENGTH_MAX)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=r"^[^\x00]+$")]


def _check_table_name(name: str) -> str:
    if name.lower().startswith(("sqlite_", "_mainspring_")):
        raise ValueError("names that begin with sqlite_ or _mainspring_ are reserved")
    return name


TableName = Annotated[Column, AfterValidator(_check_table_name)]
PathText = Annotated[str, StringConstraints(min_length=1, max_length=SHORT_TEXT_LENGTH_MAX, pattern=r"^[^\x00]+$")]
Argument = Annotated[str, StringConstraints(max_length=SHORT_TEXT_LENGTH_MAX, pattern=r"^[^\x00]*$")]
ConnectionStatus = Literal["active", "inactive"]


class BothStyles(BaseModel):
    """A document whose keys may be written in snake_case or in camelCase, but not both at once; other keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _to_snake_case(cls, document: Any) -> Any:
        if not isinstance(document, dict):
            return document
        snake = {to_camel(name): name for name in cls.model_fields}
        renamed: dict[Any, Any] = {}
        for key, value in document.items():
            name = snake.get(key, key)
            if name in renamed:
                raise ValueError(f"{name} is given twice, in both spellings")
            renamed[name] = value
        return renamed


class FileSource(BothStyles):
    """A CSV file with a header line, or a file with one JSON object per line. Without a cursor every sync replaces the table."""

    type: Literal["csv", "jsonl"]
    path: PathText
    cursor: Column | None = None


class TableSource(BothStyles):
    """A table of another SQLite file, which is only read."""

    type: Literal["sqlite"]
    path: PathText
    table: Column
    cursor: Column | None = None


class GeneratorSource(BothStyles):
    """Rows made up: each sync brings `rows` new ones. `fail_at_row` and `hang_at_row` count within one sync, from 1."""

    type: Literal["generator"]
    rows: int = Field(ge=1, le=ROWS_MAX)
    rows_per_second: float | None = Field(default=None, gt=0, le=ROWS_PER_SECOND_MAX)
    fail_at_row: int | None = Field(default=None, ge=1)
    hang_at_row: int | None = Field(default=None, ge=1)

    @field_validator("rows_per_second", mode="before")
    @classmethod
    def _accept_integer(cls, value: object) -> object:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


Source = Annotated[FileSource | TableSource | GeneratorSource, Field(discriminator="type")]


class Destination(BothStyles):
    """A table of a SQLite file, made when it is missing."""

    path: PathText
    table: TableName


Arguments = Annotated[tuple[Argument, ...], Field(min_length=1, max_length=ARGUMENTS_MAX, strict=False)]


class Command(BothStyles):
    """A program for each kind of job, as an argument list. Only the connections file may hold one."""

    sync: Arguments
    reset: Arguments | None = None
    directory: PathText = "."
    environment: dict[str, Argument] = Field(default_factory=dict)

    @field_validator("environment")
    @classmethod
    def _check_names(cls, environment: dict[str, str]) -> dict[str, str]:
        for name in environment:
            if not name or "=" in name or "\0" in name:
                raise ValueError(f"{name!r} cannot name an environment variable")
        return environment


class Movement(BothStyles):
    """A source and its destination: all that the API can configure."""

    source: Source
    destination: Destination

    @model_validator(mode="after")
    def _refuse_circle(self) -> "Movement":
        if isinstance(self.source, TableSource) and self.source.path == self.destination.path:
            raise ValueError("source and destination are the same file")
        return self

    def placed_in(self, folder: Path) -> "Movement":
        """Return the same with absolute paths, relative ones taken from `folder`."""
        destination = self.destination.model_copy(update={"path": str(folder / self.destination.path)})
        source = self.source
        if not isinstance(source, GeneratorSource):
            source = source.model_copy(update={"path": str(folder / source.path)})
        return self.model_copy(update={"source": source, "destination": destination})

    def paths(self) -> tuple[str, ...]:
        """Return the paths of its files."""
        source = () if isinstance(self.source, GeneratorSource) else (self.source.path,)
        return (*source, self.destination.path)


def describe_errors(errors: list[Any]) -> list[tuple[str, str]]:
    """Turn pydantic's errors into pairs of a key's place, as people write it (`connections[1].source.rowsPerSecond`), and a sentence."""
    return [(_place(error["loc"]), error["msg"].removeprefix("Value error, ")) for error in errors]


_UNION_TAGS = frozenset({"csv", "jsonl", "sqlite", "generator"})


def _place(location: tuple[int | str, ...]) -> str:
    place = ""
    for index, part in enumerate(location):
        if isinstance(part, int):
            place += f"[{part}]"
        elif not (part in _UNION_TAGS and index and location[index - 1] == "source"):
            place += f".{to_camel(part) if '_' in part else part}"
    return place.removeprefix(".")
