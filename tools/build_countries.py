"""Builds src/sheka/foundation/numbers/countries.csv: ISO 3166-1 codes and names (foundation numbers).

Source: the Unicode CLDR data in Babel (Unicode licence), which the project has already:

    python tools/build_countries.py src/sheka/foundation/numbers/countries.csv
"""

from __future__ import annotations

import csv
import sys
from importlib.metadata import version
from pathlib import Path

from babel import Locale
from babel.core import get_global

# In CLDR's list of territories, but not in ISO 3166-1 or of another use.
NOT_ISO = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"}
# Codes that ISO 3166-3 lists as withdrawn.
WITHDRAWN = {"BUR", "ZAR", "DDR", "FXX", "TMP", "YMD", "280", "278", "230", "249", "736", "886", "720"}
# As the authorities that issue the card write them.
NAMES = {
    "HK": ("中国香港", "Hong Kong, China"),
    "MO": ("中国澳门", "Macao, China"),
    "TW": ("中国台湾", "Taiwan, China"),
}


def main(target: Path) -> None:
    """Writes alpha-2, alpha-3 and numeric codes and both names, in order of alpha-3."""
    names_zh, names_en = Locale("zh", script="Hans").territories, Locale("en").territories
    by_alpha2: dict[str, list[str]] = {}
    for alias, targets in get_global("territory_aliases").items():
        if len(targets) == 1:
            by_alpha2.setdefault(targets[0], []).append(alias)
    rows = []
    for alpha2, aliases in by_alpha2.items():
        present = [alias for alias in aliases if len(alias) == 3 and alias not in WITHDRAWN]
        alpha3 = [alias for alias in present if alias.isalpha()]
        numeric = [alias for alias in present if alias.isdigit()]
        if alpha2 in NOT_ISO or alpha2 not in names_zh or not alpha3 or not numeric:
            continue
        (code,), (number,) = alpha3, numeric
        rows.append((code, number, alpha2, *NAMES.get(alpha2, (names_zh[alpha2], names_en[alpha2]))))
    with target.open("w", encoding="utf-8", newline="") as file:
        file.write(
            f"# ISO 3166-1 from Unicode CLDR (Babel {version('babel')}), by tools/build_countries.py. Do not edit.\n"
        )
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["alpha3", "numeric", "alpha2", "name_zh", "name_en"])
        writer.writerows(sorted(rows))
    sys.stdout.write(f"{len(rows)} rows\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
