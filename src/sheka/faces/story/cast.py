"""The cast of the demonstration world: invented organisations and people, their roles, their log-ins."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from sheka.office.organisations.actions.add_organisation import add_organisation
from sheka.office.organisations.models import Kind, Organisation
from sheka.office.organisations.queries import path_label
from sheka.office.staff.actions.appoint_staff import appoint_staff
from sheka.office.staff.actions.grant_role import grant_role
from sheka.office.staff.actors import Actor
from sheka.office.staff.models import StaffMember
from sheka.office.staff.permissions import Permission
from sheka.office.staff.queries import actor_named

MINISTRY, HAINAN, HAIKOU = "000000", "460000", "460100"
OUTLET, CENTRE, DISTRICT = "460100-01", "460100-CC", "460106"
PHARMACY = "P46010000001"

ORGANISATIONS: tuple[tuple[str, str, str, Kind, str, str | None], ...] = (
    (MINISTRY, "部级社会保障卡管理机构", "Ministry card office", Kind.MINISTRY, "000000", None),
    (HAINAN, "海南省社会保障卡管理中心", "Hainan card centre", Kind.PROVINCE, "460000", MINISTRY),
    (HAIKOU, "海口市社会保障卡管理中心", "Haikou card centre", Kind.CITY, "460100", HAINAN),
    (OUTLET, "海口市龙华换卡网点", "Longhua replacement outlet, Haikou", Kind.OUTLET, "460106", HAIKOU),
    (CENTRE, "海口市卡中心服务网点", "Card centre service outlet, Haikou", Kind.CARD_CENTRE, "460100", HAIKOU),
    (PHARMACY, "海口椰风药房（演示）", "Coconut Breeze Pharmacy (demo)", Kind.PHARMACY, "460106", HAIKOU),
    (DISTRICT, "海口市龙华区社会保障服务中心", "Longhua district office, Haikou", Kind.DISTRICT, "460106", HAIKOU),
    ("F00000001", "椰城智能卡制造厂（演示）", "Coconut City Card Works", Kind.CARD_FACTORY, "460100", MINISTRY),
    ("S00000001", "海岛安全模块公司（演示）", "Island Secure Modules", Kind.PSAM_SUPPLIER, "460100", MINISTRY),
    ("G46000001", "南海押运公司（演示）", "South Sea Security", Kind.SECURITY_COMPANY, "460100", HAINAN),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast: log-in name, invented name, place, role, and what a visitor can see with this log-in."""

    login: str
    name: str
    place: str
    role: str
    zh: str
    en: str


CAST: tuple[Member, ...] = (
    Member("ministry-reviewer", "赵衡之", MINISTRY, "reviewer", "部级审核", "ministry: review"),
    Member(
        "ministry-reviewer-2", "陆见深", MINISTRY, "reviewer", "部级审核（第二人）", "ministry: review, second person"
    ),
    Member("ministry-keys", "沈砚秋", MINISTRY, "key_officer", "部级密钥管理", "ministry: keys"),
    Member("ministry-keys-2", "顾明远", MINISTRY, "approver", "部级密钥审批", "ministry: approval of keys"),
    Member("ministry-leader", "贺秋池", MINISTRY, "key_officer", "部级密钥仪式主持", "ministry: leads key ceremonies"),
    Member("ministry-custodian", "江守一", MINISTRY, "custodian", "部级载体保管", "ministry: carriers of keys"),
    Member(
        "ministry-custodian-2", "邵持正", MINISTRY, "custodian", "部级载体保管（第二人）", "ministry: second custodian"
    ),
    Member(
        "ministry-custodian-3", "孟安澜", MINISTRY, "custodian", "部级载体保管（第三人）", "ministry: third custodian"
    ),
    Member("ministry-auditor", "白鉴清", MINISTRY, "auditor", "部级审计、见证", "ministry: audit, witness"),
    Member("hainan-examiner", "陈屿", HAINAN, "examiner", "省级初审", "province: examination"),
    Member("hainan-keys", "林望舒", HAINAN, "key_officer", "省级密钥管理", "province: keys"),
    Member("hainan-keys-2", "符景行", HAINAN, "approver", "省级密钥审批", "province: approval of keys"),
    Member("hainan-leader", "邢南溪", HAINAN, "key_officer", "省级密钥仪式主持", "province: leads key ceremonies"),
    Member("hainan-custodian", "云守拙", HAINAN, "custodian", "省级载体保管", "province: carriers of keys"),
    Member("hainan-custodian-2", "温如故", HAINAN, "custodian", "省级载体保管（第二人）", "province: second custodian"),
    Member("hainan-custodian-3", "苗启明", HAINAN, "custodian", "省级载体保管（第三人）", "province: third custodian"),
    Member("hainan-auditor", "盛明察", HAINAN, "auditor", "省级审计、见证", "province: audit, witness"),
    Member("haikou-issuance", "王知夏", HAIKOU, "issuance_clerk", "市级发行", "city: issuance"),
    Member("haikou-keys", "吴青岚", HAIKOU, "key_officer", "市级密钥管理", "city: keys"),
    Member("haikou-keys-2", "郑怀瑾", HAIKOU, "approver", "市级密钥审批", "city: approval of keys"),
    Member("haikou-leader", "麦秋实", HAIKOU, "key_officer", "市级密钥仪式主持", "city: leads key ceremonies"),
    Member("haikou-custodian", "岑守约", HAIKOU, "custodian", "市级载体保管", "city: carriers of keys"),
    Member("haikou-custodian-2", "尹平章", HAIKOU, "custodian", "市级载体保管（第二人）", "city: second custodian"),
    Member("haikou-custodian-3", "卓允恭", HAIKOU, "custodian", "市级载体保管（第三人）", "city: third custodian"),
    Member("haikou-planner", "黎若水", HAIKOU, "card_planner", "市级订卡", "city: orders of cards"),
    Member("haikou-producer", "邢云起", HAIKOU, "card_producer", "市级制卡", "city: production"),
    Member("haikou-supervisor", "冯立", HAIKOU, "card_supervisor", "市级主管", "city: supervisor"),
    Member("haikou-accounts", "韩素", HAIKOU, "account_officer", "市级账户", "city: accounts"),
    Member("haikou-accounts-2", "庄静和", HAIKOU, "account_supervisor", "市级账户主管", "city: accounts, supervisor"),
    Member("haikou-acquiring", "叶知远", HAIKOU, "acquiring_officer", "市级收单", "city: acquiring"),
    Member(
        "haikou-acquiring-2", "陶静安", HAIKOU, "acquiring_supervisor", "市级收单主管", "city: acquiring, supervisor"
    ),
    Member("haikou-clearing", "许清和", HAIKOU, "clearing_officer", "市级清算", "city: clearing"),
    Member("haikou-exceptions", "梁析微", HAIKOU, "exceptions_officer", "市级差错处理", "city: exceptions"),
    Member(
        "haikou-exceptions-2", "高慎之", HAIKOU, "exceptions_approver", "市级差错审批", "city: approval of exceptions"
    ),
    Member("haikou-settlement", "罗衡", HAIKOU, "settlement_officer", "市级结算", "city: settlement"),
    Member("haikou-auditor", "莫言白", HAIKOU, "auditor", "市级审计", "city: audit"),
    Member("haikou-security", "周谨", HAIKOU, "security_administrator", "市级安全管理", "city: people and their roles"),
    Member(
        "haikou-business", "何晓", HAIKOU, "business_administrator", "市级业务管理", "city: organisations, calendar"
    ),
    Member(
        "haikou-business-2",
        "程远",
        HAIKOU,
        "business_administrator",
        "市级业务管理（第二人）",
        "city: calendar, second person",
    ),
    Member("haikou-system", "秦川", HAIKOU, "system_administrator", "市级系统管理", "city: machines and jobs"),
    Member("longhua-clerk", "王芳", OUTLET, "clerk", "网点柜台", "outlet: counter"),
    Member("longhua-district", "丁宜家", DISTRICT, "clerk", "区县柜台", "district office: counter"),
    Member("centre-keeper", "蔡守诚", CENTRE, "old_card_keeper", "旧卡保管", "card centre: old cards"),
    Member("centre-witness-1", "曾见微", CENTRE, "destruction_witness", "销毁见证", "card centre: witness"),
    Member("centre-witness-2", "唐慎", CENTRE, "destruction_witness", "销毁见证", "card centre: witness"),
)
LOGINS_FILE = "demo-password.txt"


def installer() -> Actor:
    """The process that sets a new node up, before anybody has an account."""
    return Actor(None, "process:installer", MINISTRY, path_label(MINISTRY), frozenset(Permission))


def seed(folder: Path) -> None:
    """Organisations, people, roles and second factors of the demonstration; nothing when they are there already.

    One password for all log-ins, made for this world, is kept in `folder` (0600).
    """
    if Organisation.objects.exists():
        return
    since = date(timezone.localdate().year, 1, 1)
    actor = installer()
    for code, name, english, kind, region, parent in ORGANISATIONS:
        add_organisation(
            actor,
            code=code,
            name=name,
            name_en=english,
            kind=kind,
            region=region,
            parent=parent,
            valid_from=since,
        )
    path = folder / LOGINS_FILE
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(8))
    hashed = make_password(demo_password(folder))  # one password, one hash: each costs a third of a second
    for member in CAST:
        _appoint(actor, member, hashed)


def demo_password(folder: Path) -> str:
    """The password of every demonstration log-in of this world."""
    return (folder / LOGINS_FILE).read_text()


def acting(login: str) -> Actor:
    """The actor behind a log-in name of the cast."""
    return actor_named(login)


def _appoint(actor: Actor, member: Member, hashed: str) -> None:
    staff = appoint_staff(
        actor,
        login=member.login,
        name=member.name,
        person_id=f"demo-{member.login}",
        organisation_code=member.place,
    )
    StaffMember.objects.filter(pk=staff.pk).update(password=hashed, password_changed_at=timezone.now())
    today = timezone.localdate()
    grant_role(actor, staff=staff, role=member.role, valid_from=today, valid_to=today + timedelta(days=1825))
    TOTPDevice.objects.create(user=staff, name="手机", confirmed=True)
