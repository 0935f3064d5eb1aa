# SPDX-License-Identifier: ISC
"""drover user, token, host, notice."""


def test_a_person_a_role_and_a_token(web):
    assert web("user add ada ada@example.org").out == "added ada <ada@example.org>: no roles\n"
    web("user add ada ada@example.org", exits=4)
    assert web("user grant ada tester web").out == "granted: ada <ada@example.org>: tester on web\n"
    web("user grant ada viewer all")
    assert "tester on web" in web("user list").out and "viewer on all" in web("user show ada").out
    web("user revoke ada tester web --reason 'left the team'")
    assert "tester" not in web("user list").out
    web("user grant nobody tester web", exits=3)


def test_a_secret_stands_alone_on_stdout(web):
    web("user add ada ada@example.org")
    made = web("token add ci --person ada --days 10")
    assert len(made.lines) == 1 and made.out.startswith("drt_")
    assert "not shown again" in made.err
    listed = web("token list")
    assert "ci" in listed.out and made.out.strip() not in listed.out
    web("token revoke 1")
    assert web.json("token list")[0]["revoked"] is not None
    web("token revoke 99", exits=3)


def test_a_password_comes_from_standard_input_never_from_the_command_line(web):
    web("user add ada ada@example.org")
    web("user password ada", stdin="correct horse battery\n")
    assert web.json("user show ada")["has_password"] is True
    web("user password ada", stdin="short\n", exits=2)
    web("user password ada", exits=2)
    web("user password ada --remove")
    assert web.json("user show ada")["has_password"] is False


def test_a_login_link_is_whole_when_the_address_is_known(web):
    web("user add ada ada@example.org")
    (web.folder / "drover.conf").write_text("[page]\nbase-url = https://drover.example/\n")
    said = web("user login-link ada --config drover.conf")
    assert said.out.startswith("https://drover.example/login/") and len(said.lines) == 1


def test_disabling_and_enabling(web):
    web("user add ada ada@example.org")
    web("user set ada --disable")
    assert "disabled" in web("user list").out
    web("user set ada --enable --email ada@example.net")
    assert web.json("user show ada")["email"] == "ada@example.net"
    web("user set ada", exits=2)
    web("user set ada --enable --disable", exits=2)


def test_a_host_is_invited_with_a_code(web):
    said = web("host invite web1 --kind node")
    assert len(said.lines) == 1
    assert "--kind" in web("host invite web2", exits=2).err
    assert web.json("host list") == []
    web("host revoke web1", exits=3)


def test_reminders_wait_in_the_outbox_without_a_mail_server(web):
    # Landing 4 is grace's and bad: nobody waits for its QA. 3 and 5 are ada's.
    said = web("remind --now 2026-11-05T09:00:00Z")
    assert said.out == "mail: 1 queued, 0 sent, 0 failed, 1 waiting\n"
    assert "1 waiting" in web("remind --now 2026-11-05T10:00:00Z").out
    assert "0 queued" in web("remind --now 2026-11-05T10:00:00Z").out
    assert "ada@example.org" in web("notice list --only queued").out
    assert web.json("notice list --only failed") == []
