"""The database roles of a node (H1): who owns, who runs, who may only ask, who only reads. What each may do with a
table or a function is granted by the migrations; here is what it may do with the cluster and the database.

The node makes them in its own cluster; for another one `script` is run once by its administrator.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql


@dataclass(frozen=True, slots=True)
class DatabaseRole:
    """A role: its name in the cluster, its attributes, and what it is for."""

    name: str
    zh: str
    en: str
    attributes: str = "LOGIN NOBYPASSRLS"
    more: str = ""

    @property
    def enters(self) -> bool:
        """Whether somebody connects as it."""
        return self.attributes.startswith("LOGIN")


OWNER, APP, SWITCH, LEDGER, ENQUIRY, AUDITOR, BACKUP = (
    f"sheka_{name}" for name in ("owner", "app", "switch", "ledger", "enquiry", "auditor", "backup")
)
ROLES: tuple[DatabaseRole, ...] = (
    DatabaseRole(
        OWNER,
        "拥有并迁移表结构，不运行任何进程",
        "owns and migrates; no process of a node runs as it",
        "LOGIN NOBYPASSRLS NOINHERIT",  # it may hand functions to the ledger and sees none of its rows
    ),
    DatabaseRole(APP, "网页与工作进程，受行级安全约束", "web and worker, under row-level security"),
    DatabaseRole(
        SWITCH, "交易前置，只执行其函数", "the switch: executes its functions, reads the registry, writes seals"
    ),
    DatabaseRole(
        LEDGER,
        "交易前置的函数以其身份执行，无人以其登录",
        "as which the switch's functions run: nobody connects as it",
        "NOLOGIN NOBYPASSRLS",
        f"GRANT {LEDGER} TO {OWNER};",
    ),
    DatabaseRole(
        ENQUIRY, "市民查询，只执行查询函数", "the citizens' enquiry: executes read functions, no right to a table"
    ),
    DatabaseRole(AUDITOR, "只读审计表", "reads the audit tables and nothing else"),
    DatabaseRole(
        BACKUP,
        "读取全部数据，不写入",
        "reads everything for a backup, writes nothing",
        "LOGIN BYPASSRLS",
        f"GRANT pg_read_all_data TO {BACKUP}; ALTER ROLE {BACKUP} SET default_transaction_read_only = on;",
    ),
)
IN_DATABASE = f"""
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO {OWNER} WITH GRANT OPTION;
GRANT USAGE ON SCHEMA public TO {APP}, {SWITCH}, {LEDGER}, {ENQUIRY}, {AUDITOR};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE ON SCHEMAS TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE, SELECT ON SEQUENCES TO {APP};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT EXECUTE ON FUNCTIONS TO {APP};
"""  # noqa: S608 - our own names
"""What is said once inside a database, as its administrator; saying it again changes nothing."""


def make_role(role: DatabaseRole, password: str | None, *, known: bool) -> sql.Composed:
    """Makes a role, or gives one that is there its password and its attributes. No password: nobody connects as it."""
    return sql.SQL("{} ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {} PASSWORD {}; {}").format(
        sql.SQL("ALTER" if known else "CREATE"),
        sql.Identifier(role.name),
        sql.SQL(role.attributes),
        sql.Literal(password),
        sql.SQL(role.more),
    )


def enter_database(name: str) -> sql.Composed:
    """Lets our roles and nobody else enter a database."""
    roles = sql.SQL(", ").join(sql.Identifier(role.name) for role in ROLES if role.enters)
    return sql.SQL("REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {1};").format(
        sql.Identifier(name), roles
    )


def script(database: str) -> str:
    """What the administrator of another cluster runs with psql, before the first start of the node and again after an
    upgrade; psql asks for each new password.

    It makes the roles that are missing and the database, and may be run again.
    """
    lines = [
        "-- Database roles of Sheka, for the cluster's administrator: psql -X -v ON_ERROR_STOP=1 -f this.sql postgres",
    ]
    for role in ROLES:
        lines += [
            f"-- {role.name}: {role.zh} {role.en}",
            f"SELECT 'CREATE ROLE {role.name}'"  # noqa: S608 - our own names
            f" WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role.name}') \\gexec",
            f"ALTER ROLE {role.name} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {role.attributes};",
            *([role.more] if role.more else []),
        ]
    lines += [
        f"SELECT 'CREATE DATABASE {database} OWNER {OWNER}'"  # noqa: S608 - a name that the node's file checked
        f" WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec",
        enter_database(database).as_string(None),
        f"\\connect {database}",
        IN_DATABASE.strip(),
        "CREATE EXTENSION IF NOT EXISTS ltree;",
        "-- A password for each: \\password " + " · \\password ".join(role.name for role in ROLES if role.enters),
    ]
    return "\n".join(lines) + "\n"
