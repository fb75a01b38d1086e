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
