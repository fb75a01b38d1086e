"""What the values of a message mean, in Chinese and English: fields by their names, codes by their meaning (S4, S10).

The names follow ISO 8583:1987 and the usage of the social security card (docs/systems/transactions.md); a value without
an entry is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from sheka.foundation.iso8583.chip_data import (
    CRYPTOGRAM,
    KEY_VERSION,
    MAC1,
    PSAM_SEQUENCE,
    SEQUENCE,
    SOURCE,
    unpack,
)
from sheka.foundation.iso8583.dictionary import fields
from sheka.foundation.refusals import Code, Refused
from sheka.foundation.terms import Term
from sheka.systems.transactions.response_codes import RESPONSE_CODES

FIELDS: Mapping[int, Term] = {
    2: Term("银行账号", "bank account"),
    3: Term("处理码", "processing code"),
    4: Term("金额", "amount"),
    7: Term("传输日期时间", "transmission date and time"),
    11: Term("终端流水号", "systems trace audit number"),
    12: Term("终端本地时间", "local time"),
    13: Term("终端本地日期", "local date"),
    14: Term("有效期", "expiry date"),
    15: Term("清算日期", "settlement date"),
    18: Term("商户类型", "merchant type"),
    19: Term("受理方国家代码", "acquirer country"),
    22: Term("服务点输入方式", "point of service entry mode"),
    23: Term("卡序列号", "card sequence number"),
    25: Term("服务点条件", "point of service condition"),
    26: Term("PIN最大长度", "greatest PIN length"),
    32: Term("受理机构标识", "acquiring institution"),
    33: Term("转发机构标识", "forwarding institution"),
    35: Term("二磁道数据", "track 2"),
    37: Term("检索参考号", "retrieval reference number"),
    38: Term("授权号", "authorisation number"),
    39: Term("应答码", "response code"),
    41: Term("终端号", "terminal number"),
    42: Term("机构代码", "institution"),
    43: Term("终端地点", "place of the terminal"),
    44: Term("附加应答数据", "additional response data"),
    48: Term("附加数据", "additional data"),
    49: Term("币种", "currency"),
    52: Term("PIN数据块", "PIN block"),
    53: Term("安全控制", "security control"),
    54: Term("余额", "balance"),
    55: Term("芯片数据", "chip data"),
    57: Term("PSAM卡号", "PSAM"),
    59: Term("PIN数据块（格式4）", "PIN block, format 4"),
    60: Term("险种", "scheme of insurance"),
    61: Term("卡识别码", "card identification code"),
    62: Term("卡号", "card number"),
    63: Term("拒绝编号", "refusal number"),
    64: Term("报文鉴别码", "message authentication code"),
    66: Term("清算代码", "settlement code"),
    70: Term("网络管理码", "network management code"),
    74: Term("贷记笔数", "credits, number"),
    75: Term("贷记冲正笔数", "credits reversed, number"),
    76: Term("借记笔数", "debits, number"),
    77: Term("借记冲正笔数", "debits reversed, number"),
    86: Term("贷记金额", "credits, amount"),
    87: Term("贷记冲正金额", "credits reversed, amount"),
    88: Term("借记金额", "debits, amount"),
    89: Term("借记冲正金额", "debits reversed, amount"),
    90: Term("原交易数据", "original data elements"),
    95: Term("替换金额", "replacement amounts"),
    100: Term("接收机构标识", "receiving institution"),
    102: Term("账户", "account"),
    103: Term("第二账户", "second account"),
    128: Term("报文鉴别码", "message authentication code"),
}
_CLASSES = {
    "1": Term("授权", "authorisation"),
    "2": Term("金融交易", "financial transaction"),
    "3": Term("文件动作", "file action"),
    "4": Term("冲正", "reversal"),
    "5": Term("对账", "reconciliation"),
    "6": Term("管理", "administration"),
    "8": Term("网络管理", "network management"),
}
_FUNCTIONS = {
    "0": Term("请求", "request"),
    "1": Term("应答", "answer"),
    "2": Term("通知", "advice"),
    "3": Term("通知应答", "answer to an advice"),
}
_PROCESSING = {
    "00": Term("消费", "goods and services"),
    "03": Term("预授权", "pre-authorisation"),
    "20": Term("撤销", "void"),
    "31": Term("余额查询", "balance inquiry"),
    "92": Term("对账", "comparison of the batch"),
    "96": Term("批上送后对账", "comparison after the upload"),
}
_ENTRY = {
    "00": Term("未指明", "not said"),
    "01": Term("手工输入", "keyed in"),
    "02": Term("磁条", "magnetic stripe"),
    "05": Term("接触式芯片", "chip, with contacts"),
    "07": Term("非接触式芯片", "chip, without contacts"),
}
_PIN_ENTRY = {
    "0": Term("未指明能否输入PIN", "PIN entry not said"),
    "1": Term("可输入PIN", "PIN can be entered"),
    "2": Term("不能输入PIN", "no PIN can be entered"),
}
_CONDITION = {"00": Term("正常", "normal"), "06": Term("预授权", "pre-authorisation"), "08": Term("邮购", "mail order")}
_NETWORK = {
    "001": Term("签到", "sign-on"),
    "002": Term("签退", "sign-off"),
    "101": Term("密钥交换", "key exchange"),
    "301": Term("线路测试", "echo"),
}
_SCHEMES = {"310": Term("职工基本医疗保险", "employees' basic medical insurance")}
_COUNTRIES = {"156": Term("中国", "China")}
_CURRENCIES = {"156": Term("人民币", "yuan renminbi")}
_TAGS = {
    CRYPTOGRAM: Term("内部认证结果或TAC", "result of the internal authentication, or TAC"),
    SOURCE: Term("内部认证源数据", "source of the internal authentication"),
    SEQUENCE: Term("卡交易序号", "transaction sequence of the card"),
    MAC1: Term("PSAM消费MAC1", "purchase MAC of the PSAM"),
    PSAM_SEQUENCE: Term("终端交易序号", "terminal transaction sequence"),
    KEY_VERSION: Term("密钥名称与版本", "name and version of the key"),
}
_CODES = {response: code for code, response in reversed(RESPONSE_CODES.items())}
_NUMBERS = {code.value: code for code in Code}
NOTHING = Term("", "")


def name_of(number: int) -> Term:
    """What a field is called: in English as the dictionary has it."""
    found, known = fields().get(number), FIELDS.get(number)
    english = found.name if found else f"field {number}"
    return Term(known.zh if known else english, english)


def type_of(kind: str) -> Term:
    """What a message type says: class, function, and whether it is a repeat (ISO 8583:1987 clause 4.1).

    >>> type_of("0421").en
    'reversal, advice, repeat'
    """
    if len(kind) != 4:
        return Term("无法识别的报文", "a message that cannot be read")
    parts = [_CLASSES.get(kind[1]), _FUNCTIONS.get(kind[2]), Term("重发", "repeat") if kind[3] == "1" else None]
    known = [part for part in parts if part]
    return Term("·".join(part.zh for part in known), ", ".join(part.en for part in known))


def meaning_of(number: int, value: str, kind: str) -> Term:
    """What the value of a text field says beside its digits; NOTHING where it says no more. `kind`: the type."""
    reader = _READERS.get(number)
    if reader is None:
        return NOTHING
    try:
        return reader(value, kind)
    except (ValueError, IndexError, KeyError):
        return NOTHING


def tags_of(data: bytes) -> list[tuple[str, Term, str]]:
    """Field 55: tag, what it is, and its value (key versions as text, else hexadecimal). Broken data: empty."""
    try:
        items = unpack(data)
    except Refused:
        return []
    return [
        (f"{tag:X}", _TAGS.get(tag, Term("未登记的标签", "a tag not registered here")), _tag_text(tag, value))
        for tag, value in items
    ]


def _tag_text(tag: int, value: bytes) -> str:
    if tag == KEY_VERSION:
        return value.decode("ascii", "replace")
    return value.hex().upper()


def _fen(value: str) -> Term:
    text = f"{Decimal(int(value)) / 100:,.2f}"
    return Term(f"{text} 元", f"{text} yuan")


def _balance(value: str, _kind: str) -> Term:
    return _fen(f"{'-' if value[7] == 'D' else ''}{value[8:20]}")


def _response(value: str, _kind: str) -> Term:
    if value == "00":
        return Term("批准", "approved")
    code = _CODES.get(value)
    if value in ("30", "96", "91", "62", "63", "58", "12"):  # several refusals share it: field 63 says which
        return Term("拒绝，详见拒绝编号", "refused, see the refusal number")
    return said(code) if code else NOTHING


def said(code: Code) -> Term:
    """The sentence of a refusal as a pair of words."""
    refusal = Refused(code)
    return Term(refusal.text("zh-Hans"), refusal.text("en"))


def refusal_said(number: int) -> Term:
    """The sentence behind a refusal number; "approved" for 0, NOTHING for a number that is none."""
    if not number:
        return Term("批准", "approved")
    code = _NUMBERS.get(number)
    return said(code) if code else NOTHING


def _original(value: str, _kind: str) -> Term:
    return Term(
        f"原报文 {value[:4]}，流水号 {value[4:10]}，{value[10:12]}月{value[12:14]}日 {_clock(value[14:20])}",
        f"message {value[:4]}, trace number {value[4:10]}, {value[10:12]}-{value[12:14]} {_clock(value[14:20])}",
    )


def _clock(value: str) -> str:
    return f"{value[:2]}:{value[2:4]}:{value[4:6]}"


def _processing(value: str, kind: str) -> Term:
    if kind[2:3] in "23" and value[:2] == "20":
        return Term("退货", "refund")
    return _PROCESSING[value[:2]]


def _listed(table: Mapping[str, Term]) -> Callable[[str, str], Term]:
    return lambda value, _kind: table.get(value, NOTHING)


def _both(value: str, _kind: str) -> Term:
    entry, pin = _ENTRY[value[:2]], _PIN_ENTRY[value[2:]]
    return Term(f"{entry.zh}，{pin.zh}", f"{entry.en}, {pin.en}")


_READERS: dict[int, Callable[[str, str], Term]] = {
    3: _processing,
    4: lambda value, _kind: _fen(value),
    12: lambda value, _kind: Term(_clock(value), _clock(value)),
    13: lambda value, _kind: Term(f"{value[:2]}月{value[2:]}日", f"{value[:2]}-{value[2:]}"),
    15: lambda value, _kind: Term(f"{value[:2]}月{value[2:]}日", f"{value[:2]}-{value[2:]}"),
    19: _listed(_COUNTRIES),
    22: _both,
    25: _listed(_CONDITION),
    39: _response,
    44: lambda value, _kind: name_of(int(value)),
    49: _listed(_CURRENCIES),
    54: _balance,
    60: _listed(_SCHEMES),
    63: lambda value, _kind: refusal_said(int(value)),
    70: _listed(_NETWORK),
    86: lambda value, _kind: _fen(value),
    87: lambda value, _kind: _fen(value),
    88: lambda value, _kind: _fen(value),
    89: lambda value, _kind: _fen(value),
    90: _original,
}
