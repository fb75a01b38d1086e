"""A holiday notice that has not been published: an invented arrangement of 2027 that agrees with the law."""

from __future__ import annotations

NOTICE_2027 = {
    "year": 2027,
    "title": "关于2027年部分节假日安排的通知（测试）",
    "document": "测试发〔2026〕1号",
    "issued": "2026-11-10",
    "statutory_days": 13,
    "working_weekends": ["2027-02-20", "2027-09-19", "2027-10-09"],
    "holidays": [
        {"name": {"zh": "元旦", "en": "New Year"}, "days": ["2027-01-01", "2027-01-03"]},
        {"name": {"zh": "春节", "en": "Spring Festival"}, "days": ["2027-02-05", "2027-02-11"]},
        {"name": {"zh": "清明节", "en": "Qingming"}, "days": ["2027-04-03", "2027-04-05"]},
        {"name": {"zh": "劳动节", "en": "Labour Day"}, "days": ["2027-05-01", "2027-05-04"]},
        {"name": {"zh": "端午节", "en": "Dragon Boat Festival"}, "days": ["2027-06-09", "2027-06-09"]},
        {"name": {"zh": "中秋节", "en": "Mid-Autumn"}, "days": ["2027-09-15", "2027-09-15"]},
        {"name": {"zh": "国庆节", "en": "National Day"}, "days": ["2027-10-01", "2027-10-07"]},
    ],
}
