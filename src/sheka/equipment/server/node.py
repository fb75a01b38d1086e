"""The node's file (H1): what one installation is called, hosts and runs, read from TOML and checked before anything
starts.

A node is one level (ministry, province, city), the organisations that it hosts, one database and its encryption
machines (design §4). `node.toml` holds nothing secret; passwords and keys stand in `secrets.toml` beside it, readable
by its owner alone.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sheka.equipment.server.files import make_folder, socket_folder, write_private, write_whole
from sheka.equipment.server.node_secrets import NEEDED_ROLES, NodeSecrets, Role, add_missing, secrets_text
from sheka.equipment.server.postgres import PostgresCluster
from sheka.foundation.refusals import Code, Refused

__all__ = [
    "ROLE_VARIABLE",
    "VARIABLE",
    "DatabaseConfig",
    "DocumentsConfig",
    "Listener",
    "MachineConfig",
    "NodeConfig",
    "node_environment",
]

VARIABLE = "SHEKA_NODE"
ROLE_VARIABLE = "SHEKA_DATABASE_ROLE"
NAME = r"^[a-z][a-z0-9-]{0,30}$"
CODE = r"^[0-9]{6}$"
Model = TypeVar("Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Listener(_Part):
    """An address that a process listens on."""

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)


class WebConfig(Listener):
    """Where the console listens, and the host name under which browsers know it when a proxy stands before it."""

    port: int = Field(default=8000, ge=1, le=65535)
    name: str = Field(default="", pattern=r"^(|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$")


class TlsConfig(_Part):
    """The files of the line to institutions, relative to the node's folder: the switch's certificate with its chain,
    its key, the authority of the institutions' certificates. `own`: the node's own authority makes them.
    """

    certificate: str = "lines/switch.pem"
    key: str = "lines/switch.key"
    authority: str = "lines/authority.pem"
    own: bool = False


class SwitchConfig(Listener):
    """Where the switch listens, in how many processes on the one port, and its TLS; without it on this machine only."""

    port: int = Field(default=8583, ge=1, le=65535)
    processes: int = Field(default=1, ge=1, le=64)
    tls: TlsConfig | None = None


class MachineConfig(_Part):
    """An encryption machine: of which organisation, where it answers, where it keeps its keys.

    `folder` is relative to the node's folder, or empty for a machine that the node does not run itself; `address` is
    `unix:/path` or `tcp:host:port`, or empty for a socket in the node's private folder.
    """

    name: str = Field(pattern=NAME)
    organisation: str = Field(pattern=CODE)
    address: str = Field(default="", pattern=r"^(|unix:/.+|tcp:[^:]+:[0-9]+)$")
    folder: str = ""


class DatabaseConfig(_Part):
    """The node's database: our own cluster in `folder`, or an outside one whose addresses are in the secrets file."""

    mode: Literal["embedded", "external"] = "embedded"
    name: str = Field(default="sheka", pattern=r"^[a-z][a-z0-9_]{0,40}$")
    folder: str = "postgres"


class DocumentsConfig(_Part):
    """Where the node keeps documents, encrypted, and where the keys come from.

    `folder` is relative to the node's folder. `keys`: "machine" asks the organisation's encryption machine, "file"
    reads a key file in the folder, for a node that has no machine yet. `address` is what the QR code of a paper
    leads to (`https://host`); empty: the node's own console.
    """

    folder: str = "documents"
    keys: Literal["machine", "file"] = "machine"
    address: str = Field(default="", pattern=r"^(|https?://[^\s/]+)$")


class _File(_Part):
    name: str = Field(pattern=NAME)
    level: Literal["ministry", "province", "city"]
    organisations: tuple[str, ...] = Field(min_length=1)
    demo: bool = False
    secrets: str = "secrets.toml"
    web: WebConfig = WebConfig()
    switch: SwitchConfig = SwitchConfig()
    database: DatabaseConfig = DatabaseConfig()
    documents: DocumentsConfig = DocumentsConfig()
    archive: str = "archive"
    """Where archived days of transactions go: relative to the node's folder, or absolute (a medium of its own)."""
    audit_heads: str = "audit-heads"
    """Where signed heads of the audit chain go: relative to the node's folder, or absolute (a medium of its own)."""
    machines: tuple[MachineConfig, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> _File:
        if any(len(code) != 6 or not code.isdecimal() for code in self.organisations):
            raise ValueError("organisations: each is a code of 6 digits")
        if len({machine.name for machine in self.machines}) != len(self.machines):
            raise ValueError("machines: two have the same name")
        if outside := [one.name for one in self.machines if one.organisation not in self.organisations]:
            raise ValueError(f"machines: the organisation of {outside[0]} is not hosted here")
        if remote := [one.name for one in self.machines if not one.folder and not one.address]:
            raise ValueError(f"machines: {remote[0]} has neither a folder nor an address")
        if self.web.port == self.switch.port and self.web.host == self.switch.host:
            raise ValueError("web and switch: the same port")
        return self


@dataclass(frozen=True)
class NodeConfig:
    """A node as its file describes it, with its secrets. `path` is the file, `folder` the folder it stands in."""

    path: Path
    file: _File
    secret: NodeSecrets

    @classmethod
    def load(cls, path: Path | str | None = None) -> NodeConfig:
        """Read `path`, or what the variable SHEKA_NODE names.

        Raises Refused(NODE_FILE_MISSING, NODE_FILE_INVALID, NODE_SECRETS_OPEN).
        """
        named = path or os.environ.get(VARIABLE)
        if not named:
            raise Refused(Code.NODE_FILE_MISSING, file=f"${VARIABLE}")
        place = Path(os.path.realpath(named))
        file = _read(place, _File)
        secret_path = place.parent / file.secrets
        try:
            if secret_path.stat().st_mode & 0o077:
                raise Refused(Code.NODE_SECRETS_OPEN, file=secret_path)
        except FileNotFoundError:
            raise Refused(Code.NODE_FILE_MISSING, file=secret_path) from None
        config = cls(place, file, _read(secret_path, NodeSecrets))
        config._check_secrets(secret_path)
        return config

    @classmethod
    def create_demo(
        cls,
        folder: Path,
        *,
        web_port: int = 8000,
        switch_port: int = 8583,
        database: str = "sheka",
        postgres: str = "postgres",
        document_keys: str = "machine",
    ) -> NodeConfig:
        """Write the demo world's node: the ministry, Hainan (460000) and Haikou (460100) on one machine; an existing
        one is read.

        `postgres` is the cluster's folder, relative to `folder` or absolute.
        """
        path = folder / "node.toml"
        if path.exists():
            return cls.load(path)
        return cls.create(
            folder,
            name="demo",
            level="ministry",
            machines={"ministry": "000000", "hainan": "460000", "haikou": "460100"},
            demo=True,
            web_port=web_port,
            switch_port=switch_port,
            database=database,
            postgres=postgres,
            document_keys=document_keys,
        )

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        name: str,
        level: str,
        machines: dict[str, str],
        demo: bool = False,
        web_port: int = 8000,
        switch_port: int = 8583,
        database: str = "sheka",
        postgres: str = "postgres",
        document_keys: str = "machine",
    ) -> NodeConfig:
        """Write a new node's file and its secrets. `machines`: name → code, an encryption machine for each
        organisation.

        Raises Refused(NODE_EXISTS), NODE_FILE_INVALID for a bad value (nothing is written then),
        SERVER_FOLDER_UNWRITABLE.
        """
        path = folder / "node.toml"
        if path.exists():
            raise Refused(Code.NODE_EXISTS, file=path)
        codes = ", ".join(json.dumps(code) for code in machines.values())
        lines = [f"name = {json.dumps(name)}", f"level = {json.dumps(level)}", f"organisations = [{codes}]"]
        lines += ["demo = true"] if demo else []
        lines += ["", "[web]", f"port = {web_port}", "", "[switch]", f"port = {switch_port}", ""]
        lines += ["[database]", f'name = "{database}"', f"folder = {json.dumps(postgres)}"]
        lines += ["", "[documents]", f'keys = "{document_keys}"']
        for machine, code in machines.items():
            lines += ["", "[[machines]]", f'name = "{machine}"', f'organisation = "{code}"']
            lines += [f'folder = "machines/{machine}"']
        text = "\n".join(lines) + "\n"
        _check(path, _File, text)
        make_folder(folder)
        write_private(folder / "secrets.toml", secrets_text(machines))
        write_whole(path, text)
        return cls.load(path)

    def upgraded(self) -> NodeConfig:
        """The node with the secrets that a file of an earlier version lacks; they are written before it starts."""
        return NodeConfig.load(self.path) if add_missing(self.folder / self.file.secrets, self.secret) else self

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def level(self) -> str:
        return self.file.level

    @property
    def demo(self) -> bool:
        """Whether this is the demo world: it shows second factors and log-ins on screen."""
        return self.file.demo

    @property
    def organisations(self) -> tuple[str, ...]:
        """The codes of the organisations that this node hosts."""
        return self.file.organisations

    @property
    def web(self) -> WebConfig:
        return self.file.web

    @property
    def switch(self) -> SwitchConfig:
        return self.file.switch

    @property
    def line_files(self) -> tuple[Path, Path, Path]:
        """Certificate, key and authority of the line to institutions."""
        tls = self.switch.tls or TlsConfig()
        return self.folder / tls.certificate, self.folder / tls.key, self.folder / tls.authority

    @property
    def inside_line(self) -> Path | None:
        """The Unix socket of the switch for this node's own processes, where the port wants certificates; else None."""
        return None if self.switch.tls is None else socket_folder(self.folder / "lines") / "switch.sock"

    @property
    def machines(self) -> tuple[MachineConfig, ...]:
        return self.file.machines

    @property
    def folder(self) -> Path:
        """The folder of the node: everything that it writes is in here."""
        return self.path.parent

    @property
    def documents(self) -> DocumentsConfig:
        return self.file.documents

    @property
    def documents_folder(self) -> Path:
        """The folder of the encrypted documents."""
        return self.folder / self.documents.folder

    @property
    def django_secret_key(self) -> str:
        return self.secret.django_secret_key

    @property
    def person_key(self) -> bytes:
        """The key (32 bytes) of the digests of staff's numbers. Raises Refused(NODE_FILE_INVALID)."""
        if not self.secret.person_key:
            raise Refused(Code.NODE_FILE_INVALID, file=self.folder / self.file.secrets, reason="person_key is missing")
        return bytes.fromhex(self.secret.person_key)

    @property
    def sockets(self) -> Path:
        """The private folder of the machines' Unix sockets; `files.make_socket_folder` makes it."""
        return socket_folder(self.folder)

    def machine(self, name_or_organisation: str) -> MachineConfig:
        """The encryption machine of that name, or of that organisation's code.

        Raises Refused(NODE_MACHINE_UNKNOWN).
        """
        for machine in self.machines:
            if name_or_organisation in {machine.name, machine.organisation}:
                return machine
        raise Refused(Code.NODE_MACHINE_UNKNOWN, machine=name_or_organisation, file=self.path)

    def machine_address(self, name: str) -> str:
        """Where the machine answers: `unix:/path` or `tcp:host:port`."""
        machine = self.machine(name)
        return machine.address or f"unix:{self.sockets / machine.name}.sock"

    def machine_folder(self, name: str) -> Path:
        """Where a machine that this node runs keeps its keys."""
        return self.folder / self.machine(name).folder

    def machine_callers(self, name: str) -> dict[str, bytes]:
        """Every caller that the machine knows, with its secret (32 bytes)."""
        return {caller: bytes.fromhex(word) for caller, word in self.secret.machines[self.machine(name).name].items()}

    def machine_secret(self, name: str, caller: str = "systems") -> bytes:
        """The secret (32 bytes) with which `caller` proves itself to the machine."""
        return self.machine_callers(name)[caller]

    @cached_property
    def cluster(self) -> PostgresCluster:
        """The node's own PostgreSQL cluster. Raises Refused(NODE_DATABASE_OUTSIDE) when the database is not ours to
        run.
        """
        if self.file.database.mode != "embedded":
            raise Refused(Code.NODE_DATABASE_OUTSIDE, file=self.path)
        return PostgresCluster(self.folder / self.file.database.folder)

    @property
    def embedded(self) -> bool:
        """Whether the node runs its own PostgreSQL."""
        return self.file.database.mode == "embedded"

    def database_parameters(self, role: Role | None = None) -> dict[str, str]:
        """libpq's connection parameters as `role`: "app" runs web and worker, "switch" the switch, "owner" migrates.
        Default: the variable SHEKA_DATABASE_ROLE, else "app".

        Raises Refused(NODE_FILE_INVALID) for a role that is none, or that the secrets file has no address for.
        """
        who = self._role(role)
        if self.embedded:
            return self.cluster.parameters(self.file.database.name, f"sheka_{who}")
        found = conninfo_to_dict(self.secret.database[who])
        return {key: str(value) for key, value in found.items() if value is not None}

    def dsn(self, role: Role | None = None) -> str:
        """One address of the database, for asyncpg and psycopg alike. Raises like `database_parameters`."""
        who = self._role(role)
        return self.cluster.dsn(self.file.database.name, f"sheka_{who}") if self.embedded else self.secret.database[who]

    def _role(self, role: Role | None) -> Role:
        who = role or os.environ.get(ROLE_VARIABLE) or "app"
        roles: tuple[Role, ...] = get_args(Role)
        for known in roles:
            if known == who and (self.embedded or known in self.secret.database):
                return known
        raise Refused(Code.NODE_FILE_INVALID, file=f"${ROLE_VARIABLE}", reason=f"database: {who}")

    def django_database(self, role: Role | None = None) -> dict[str, Any]:
        """The entry of Django's DATABASES."""
        given = self.database_parameters(role)
        known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
        entry: dict[str, Any] = {django: given.pop(libpq, "") for libpq, django in known.items()}
        return {"ENGINE": "django.db.backends.postgresql", **entry, "OPTIONS": given}

    def _check_secrets(self, path: Path) -> None:
        for machine in self.machines:
            if not self.secret.has_callers_of(machine.name):
                raise Refused(
                    Code.NODE_FILE_INVALID, file=path, reason=f"machines.{machine.name}: 64 hexadecimal digits each"
                )
        if not self.embedded and not self.secret.database.keys() >= NEEDED_ROLES:
            raise Refused(Code.NODE_FILE_INVALID, file=path, reason="database: app, owner, switch")


def node_environment(config: NodeConfig, role: Role = "app") -> dict[str, str]:
    """The variables that the processes of a node read: its file, Django's settings, the database role."""
    return {
        VARIABLE: str(config.path),
        ROLE_VARIABLE: role,
        "DJANGO_SETTINGS_MODULE": "sheka.config.settings",
        "PYTHONUNBUFFERED": "1",
    }


def _read(path: Path, model: type[Model]) -> Model:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise Refused(Code.NODE_FILE_MISSING, file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(Code.NODE_FILE_INVALID, file=path, reason=str(error)) from None
    return _check(path, model, text)


def _check(path: Path, model: type[Model], text: str) -> Model:
    try:
        return model.model_validate(tomllib.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Refused(Code.NODE_FILE_INVALID, file=path, reason=f"{place} {first['msg']}".strip()) from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(Code.NODE_FILE_INVALID, file=path, reason=str(error)) from None
