"""What permissions are called on a page. One without a word is shown by its code; the tests know all of them (S9)."""

from __future__ import annotations

from sheka.faces.console.words import language
from sheka.foundation.terms import Term

RIGHTS: dict[str, Term] = {
    "organisation.manage": Term("管理机构", "Manage organisations"),
    "organisation.view": Term("查看机构", "See organisations"),
    "staff.manage": Term("管理人员与授权", "Manage people and their roles"),
    "staff.view": Term("查看人员", "See people"),
    "self.manage": Term("管理自己的账号", "Manage one's own account"),
    "audit.read": Term("查看审计", "Read the audit"),
    "approval.status": Term("查看审批情况", "See where requests stand"),
    "document.keep": Term("留存材料", "Keep documents"),
    "document.view": Term("查看材料", "See documents"),
    "document.dispose": Term("处置到期材料", "Dispose of documents"),
    "paper.void": Term("作废凭证", "Void papers"),
    "client.manage": Term("管理接口客户", "Manage clients of the API"),
    "job.manage": Term("管理任务", "Manage jobs"),
    "system.view": Term("查看系统状态", "See the system's health"),
    "calendar.manage": Term("管理工作日历", "Manage the calendar"),
    "list.export": Term("导出列表", "Export lists"),
    "work.use": Term("处理待办", "Work on the queue"),
    "work.assign": Term("分派待办", "Assign work"),
    "incident.report": Term("报告安全事件", "Report incidents"),
    "incident.view": Term("查看安全事件", "See incidents"),
    "incident.handle": Term("处置安全事件", "Handle incidents"),
    "incident.close": Term("复核安全事件", "Close incidents"),
    "incident.plan": Term("编制应急预案", "Keep emergency plans"),
    "incident.decide": Term("审批应急预案", "Decide about emergency plans"),
    "key.propose": Term("申请生成密钥", "Propose keys"),
    "key.decide": Term("审批密钥", "Decide about keys"),
    "key.distribute": Term("下发密钥", "Send sub-keys"),
    "key.import": Term("导入密钥", "Import keys"),
    "key.view": Term("查看密钥", "See keys"),
    "key.carry_out": Term("在密钥仪式中执行", "Carry out in a key ceremony"),
    "machine.manage": Term("登记加密机", "Register encryption machines"),
    "machine.view": Term("查看加密机", "See encryption machines"),
    "ceremony.plan": Term("安排密钥仪式", "Plan ceremonies"),
    "ceremony.lead": Term("主持密钥仪式", "Lead ceremonies"),
    "ceremony.hold": Term("保管密钥分量", "Hold components and shares"),
    "ceremony.witness": Term("见证密钥仪式", "Witness ceremonies"),
    "ceremony.view": Term("查看密钥仪式", "See ceremonies"),
    "issuance.apply": Term("申请发行", "Apply to issue"),
    "issuance.examine": Term("初审发行申请", "Examine applications to issue"),
    "issuance.approve": Term("审核发行申请", "Approve applications to issue"),
    "issuance.view": Term("查看发行", "See issuance"),
    "person.import": Term("导入参保人员", "Import people"),
    "person.change": Term("变更个人信息", "Change personal data"),
    "card.take_right": Term("承接发卡权", "Take over the right to issue"),
    "card.order": Term("订制卡片", "Order cards"),
    "card.produce": Term("制作卡片", "Make cards"),
    "card.stock": Term("卡片入库", "Take cards into stock"),
    "card.hand_out": Term("发放卡片", "Hand out cards"),
    "card.activate": Term("激活卡片", "Activate cards"),
    "card.examine": Term("检测卡片", "Examine cards"),
    "card.loss": Term("挂失与解挂", "Report and release losses"),
    "card.block": Term("锁定与解锁", "Block and unblock cards"),
    "card.cancel": Term("注销卡片", "Cancel cards"),
    "card.state": Term("查询卡片状态", "Ask for a card's state"),
    "card.view": Term("查看卡片", "See cards"),
    "card.reveal": Term("显示完整号码", "Show whole numbers"),
    "exchange.apply": Term("受理换卡", "Take applications for an exchange"),
    "exchange.pay": Term("收取换卡费用", "Take the fee of an exchange"),
    "exchange.collect": Term("发放新卡", "Hand over the new card"),
    "exchange.cancel": Term("撤销换卡", "Cancel exchanges"),
    "old_card.return": Term("收回与上交旧卡", "Take in and send old cards"),
    "old_card.receive": Term("清点旧卡", "Count old cards"),
    "old_card.destroy": Term("销毁旧卡", "Destroy old cards"),
    "old_card.witness": Term("见证销毁", "Witness destruction"),
    "account.open": Term("开立账户", "Open accounts"),
    "account.deposit": Term("账户入账", "Book deposits"),
    "account.freeze": Term("冻结与解冻账户", "Freeze and release accounts"),
    "account.view": Term("查看账户", "See accounts"),
    "acquiring.register": Term("登记机构与终端", "Register institutions and terminals"),
    "transaction.view": Term("查看交易", "See transactions"),
    "transaction.verify": Term("核验交易封印", "Verify transaction seals"),
    "block.view": Term("查看停用名单", "See the block list"),
    "block.place": Term("列入停用名单", "Place blocks"),
    "block.lift": Term("解除停用", "Lift blocks"),
    "psam.view": Term("查看PSAM卡", "See PSAMs"),
    "psam.load": Term("灌装PSAM卡密钥", "Load keys into PSAMs"),
    "psam.bind": Term("绑定与启用PSAM卡", "Bind and activate PSAMs"),
    "psam.keep": Term("收发PSAM卡", "Keep the stock of PSAMs"),
    "exception.view": Term("查看异常交易", "See exceptions"),
    "exception.handle": Term("处理异常交易", "Handle exceptions"),
    "clearing.seal": Term("封存清算日", "Seal clearing days"),
    "clearing.import": Term("导入收单文件", "Import acquirers' files"),
    "clearing.net": Term("轧差清算", "Net clearing days"),
    "clearing.view": Term("查看清算", "See clearing"),
}


def right_word(code: str) -> str:
    """What a permission is called, in the reader's language."""
    return RIGHTS[code].text(language()) if code in RIGHTS else code


def rights_named(codes: str) -> str:
    """Codes joined by " | ", as a refusal names them → their words, each with its code."""
    marks = ("{}（{}）", "、") if language().startswith("zh") else ("“{}” ({})", ", ")
    return marks[1].join(marks[0].format(right_word(code), code) for code in codes.split(" | "))
