"""The check of the checks: axe and our own looks find what is planted, so their silence means something."""

from __future__ import annotations

import pytest
from tests.support.pages import axe, foreign, inline

PLANTED = """() => {
  document.documentElement.removeAttribute("lang");
  const main = document.querySelector("main");
  const add = (name, inside) => {
    const e = document.createElement(name);
    e.textContent = inside;
    main.append(e);
    return e;
  };
  add("img", "").src = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
  add("input", "");
  add("a", "").href = "/";
  const faint = add("p", "hardly to be read");
  faint.className = "planted";
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".planted { color: #ddd; background: #fff }");
  document.adoptedStyleSheets = [sheet];
}"""


def test_axe_finds_what_is_planted(surf):
    page = surf.stranger()
    page.goto("/sign-in")
    assert axe(page) == []
    page.evaluate(PLANTED)
    found = {line.split(":")[0] for line in axe(page)}
    assert {"html-has-lang", "image-alt", "label", "link-name", "color-contrast"} <= found


def test_who_sits_down_at_a_page_finds_nothing_of_who_left_it(surf):
    """Pages of the tests are used again by others: a right or a setting that stayed would hide a fault."""
    page = surf.signed_in("longhua-clerk")
    page.goto("/cards")
    page.evaluate("localStorage.setItem('left', 'behind')")
    left = page.context.cookies()
    surf.rest()
    other = surf.signed_in("no-role")
    assert other is page
    assert page.locator("main").count() == 0
    assert not {cookie["value"] for cookie in page.context.cookies()} & {cookie["value"] for cookie in left}
    assert page.goto("/cards").status == 403
    assert page.evaluate("localStorage.getItem('left')") is None
    assert surf.signed_in("no-role") is not page


def test_a_word_in_the_other_language_is_found(surf):
    page = surf.stranger("en")
    page.goto("/sign-in")
    assert list(foreign(page, "en")) == []
    page.evaluate("document.querySelector('h1').textContent = '登录'")
    page.evaluate("document.querySelector('#login').placeholder = '姓名'")
    assert list(foreign(page, "en")) == ["H1: 登录", "INPUT placeholder: 姓名"]
    page = surf.stranger("zh")
    page.goto("/sign-in")
    page.evaluate("document.querySelector('h1').textContent = 'Sign in'")
    assert list(foreign(page, "zh")) == ["H1: Sign in"]


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:red">',
        "<style>p{}</style>",
        '<a onclick="x()">',
        "<script>x()</script>",
        '<a href="javascript:x()">',
        '<script defer>x()</script><script src="a.js"></script>',
    ],
)
def test_what_the_policy_would_block_is_found(html):
    assert inline(html)
    assert not inline('<script src="/a.js" defer></script><p class="style">one = two</p>')


def test_a_breach_of_the_policy_fails_a_test(surf):
    page = surf.stranger()
    page.goto("/sign-in")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_timeout(100)
    assert any("style" in problem for problem in surf.problems)
    surf.problems.clear()
