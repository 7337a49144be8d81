"""Versions, closer: what a tag may be called, `*` and lists, HEAD, what moves a version and what does not (RFC 9110 §8.8.3 and §13)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from conformance.checker.evidence import Skipped
from conformance.checker.probe import Probe
from conformance.checker.registry import MAY, MUST, SHOULD, check
from conformance.checks.etags import CLAUSE, tag

OTHERS = 'W/"no-such-version", "nor-this"'
NICK = ("etag", "User.nickName")


@check("etags.strong", MUST, "RFC 9110 §8.8.1 and §8.8.3", "S-9110-8.8.3-01", needs=["etag"])
def strong(probe: Probe) -> None:
    "A tag without W/ is of one representation: where tags are strong, a user seen in part has another tag than seen whole."
    user = probe.user()
    whole = probe.get(user.path).status(200)
    if not tag(whole).startswith("W/"):
        part = probe.get(user.path, {"attributes": "userName"}).status(200)
        same = part.response.body == whole.response.body
        part.expect(same or tag(part) != tag(whole), f"another tag than {tag(whole)}, or a weak one", f"ETag: {tag(part)}")


@check("etags.weak", MAY, "RFC 9110 §8.8.1", "S-9110-8.8.3-01", needs=["etag"])
def weak(probe: Probe) -> None:
    "Tags are weak (W/): one version, however it is shown."
    user = probe.user()
    for answer in (user.answer, probe.get(user.path), probe.get(user.path, {"attributes": "userName"})):
        answer.expect(tag(answer).startswith("W/"), "an ETag with W/", f"ETag: {tag(answer)}")


@check("etags.writes", MUST, CLAUSE, "S-7644-3.14-02", "S-7643-3.1-11", needs=NICK)
def writes(probe: Probe) -> None:
    "The answers of POST, PUT and PATCH carry the ETag of what they made of the resource, which is their meta.version."
    user = probe.user()
    answers = [user.answer, probe.put(user.path, probe.user_body(nickName="Ada")).status(200)]
    if probe.offer.supports("patch"):
        answers.append(probe.patch(user.path, {"op": "replace", "path": "nickName", "value": "Eve"}).status(200, 204))
    for answer in answers:
        if answer.code != 204:
            answer.has(tag(answer), "meta", "version")
    last = tag(answers[-1])
    now = probe.get(user.path).status(200)
    now.expect(tag(now) == last, f"ETag: {last}", f"ETag: {tag(now)}")


@check("etags.head", MUST, "RFC 9110 §13.1.2 and §9.3.2", "S-7644-3.14-03", "S-9110-13.1.2-01", "S-7644-3.4.1-04", needs=["etag"])
def head(probe: Probe) -> None:
    "HEAD is answered as GET is: with the ETag, and with 304 to who knows it."
    user = probe.user()
    current = tag(probe.get(user.path).status(200))
    answer = probe.request("HEAD", user.path)
    if answer.code in (405, 501):
        raise Skipped(f"the server has no HEAD (it answers {answer.code})")
    answer.status(200)
    answer.expect(tag(answer) == current, f"ETag: {current}", f"ETag: {tag(answer)}")
    answer = probe.request("HEAD", user.path, headers={"If-None-Match": current}).status(304)
    answer.expect(answer.response.body == b"", "no body")


@check("etags.not-modified.tag", MUST, "RFC 9110 §15.4.5", "S-7644-3.14-03", needs=["etag"])
def not_modified_tag(probe: Probe) -> None:
    "A 304 carries the ETag."
    user = probe.user()
    current = tag(probe.get(user.path).status(200))
    answer = probe.get(user.path, headers={"If-None-Match": current}).status(304)
    answer.expect(tag(answer) == current, f"ETag: {current}", f"ETag: {tag(answer)}")


@check("etags.none-match", MUST, "RFC 9110 §13.1.2", "S-9110-13.1.2-01", "S-7644-3.14-03", needs=["etag"])
def none_match(probe: Probe) -> None:
    "If-None-Match takes * and a list: 304 if the present version is among them, else 200."
    user = probe.user()
    current = tag(probe.get(user.path).status(200))
    for known, status in (("*", 304), (f"{OTHERS}, {current}", 304), (OTHERS, 200)):
        probe.get(user.path, headers={"If-None-Match": known}).status(status)


@check("etags.none-match.write", MUST, "RFC 9110 §13.1.2", "S-9110-13.1.2-01", needs=NICK)
def none_match_write(probe: Probe) -> None:
    "A PUT, PATCH or DELETE with If-None-Match of the present version, or *, answers 412 and changes nothing."
    user = probe.user()
    current = tag(probe.get(user.path).status(200))
    for known in ("*", current):
        headers = {"If-None-Match": known}
        probe.put(user.path, probe.user_body(nickName="Ada"), headers=headers).status(412)
        if probe.offer.supports("patch"):
            probe.patch(user.path, {"op": "add", "path": "nickName", "value": "Ada"}, headers=headers).status(412)
        probe.delete(user.path, headers=headers).status(412)
    probe.state(user).lacks("nickName")


@check("etags.none-match.create", MAY, "RFC 9110 §13.1.2", "S-9110-13.1.2-01", needs=["etag"])
def none_match_create(probe: Probe) -> None:
    "A POST with If-None-Match: * creates: where it posts to, there is no version that it could be."
    probe.request("POST", "/Users", probe.user_body(), headers={"If-None-Match": "*"}).status(201)


@check("etags.match.any", MUST, "RFC 9110 §13.1.1", "S-9110-13.1.1-01", needs=NICK)
def match_any(probe: Probe) -> None:
    "If-Match takes * and a list: the change is made if the present version is among them, else it is a 412."
    user = probe.user()
    probe.put(user.path, probe.user_body(nickName="one"), headers={"If-Match": OTHERS}).status(412)
    probe.put(user.path, probe.user_body(nickName="two"), headers={"If-Match": "*"}).status(200)
    current = tag(probe.state(user).has("two", "nickName"))
    probe.put(user.path, probe.user_body(nickName="three"), headers={"If-Match": f"{OTHERS}, {current}"}).status(200)
    probe.state(user).has("three", "nickName")


@check("etags.match.nobody", MUST, "RFC 9110 §13.1.1", "S-9110-13.1.1-01", "S-7644-3.2-02", needs=["etag"])
def match_nobody(probe: Probe) -> None:
    "If-Match: * on an id that nobody has is a 404 or a 412, and creates nobody."
    path = f"/Users/{probe.name('nobody')}"
    probe.put(path, probe.user_body(), headers={"If-Match": "*"}).status(404, 412)
    probe.delete(path, headers={"If-Match": "*"}).status(404, 412)
    probe.get(path).status(404)


@check("etags.match.spelling", MAY, "RFC 9110 §13.1.1", "S-9110-13.1.1-02", needs=NICK)
def match_spelling(probe: Probe) -> None:
    "If-Match takes a weak tag with and without its W/."
    user = probe.user()
    current = tag(probe.get(user.path).status(200))
    current = tag(probe.put(user.path, probe.user_body(nickName="one"), headers={"If-Match": current}).status(200))
    probe.put(user.path, probe.user_body(nickName="two"), headers={"If-Match": current.removeprefix("W/")}).status(200)


@check("etags.match.status", MUST, "RFC 9110 §13.1.1, RFC 7644 §3.12", "S-7644-3.12-06", "S-7644-3.12-01", needs=NICK)
def match_status(probe: Probe) -> None:
    "A version that is not the present one is a 412 with a SCIM error."
    user = probe.user()
    probe.put(user.path, probe.user_body(nickName="Ada"), headers={"If-Match": 'W/"no-such-version"'}).status(412).error_body()


@check("etags.unconditional", MAY, "RFC 7644 §3.14 (RFC 6585 §3)", "S-7644-3.14-07", needs=NICK)
def unconditional(probe: Probe) -> None:
    "A change needs no If-Match: directories send none."
    user = probe.user()
    probe.put(user.path, probe.user_body(nickName="Ada")).status(200)


@check("etags.race", MUST, "RFC 9110 §13.1.1", "S-7644-3.14-06", "S-7644-3.14-04", needs=NICK)
def race(probe: Probe) -> None:
    "Of eight changes at the same time with If-Match of the same version one is made, and seven answer 412."
    user = probe.user()
    current = tag(probe.get(user.path).status(200))
    with ThreadPoolExecutor(8) as pool:
        bodies = [probe.user_body(nickName=f"n{number}") for number in range(8)]
        answers = list(pool.map(lambda body: probe.put(user.path, body, headers={"If-Match": current}), bodies))
    codes = sorted(answer.code for answer in answers)
    answers[0].expect(codes == [200] + [412] * 7, "one 200 and seven 412", " ".join(map(str, codes)))


@check("etags.same", SHOULD, CLAUSE, "S-7644-3.14-05", "S-7644-3.5.1-12", needs=NICK)
def same(probe: Probe) -> None:
    "A write that changes nothing, or is refused, leaves the version."
    user = probe.user(nickName="Ada")
    first = tag(probe.get(user.path).status(200))
    probe.put(user.path, probe.state(user).document()).status(200)
    if probe.offer.supports("patch"):
        probe.patch(user.path, {"op": "replace", "path": "nickName", "value": "Ada"}).status(200, 204)
        probe.patch(user.path, {"op": "replace", "path": "emails[", "value": "x"}).status(400)
    now = probe.get(user.path).status(200)
    now.expect(tag(now) == first, f"ETag: {first}", f"ETag: {tag(now)}")


@check("etags.group", MUST, CLAUSE, "S-7644-3.14-05", needs=["etag", "groups", "patch"])
def group(probe: Probe) -> None:
    "A member who comes or goes gives the group another version; one who is there already does not."
    ann, made = probe.user("ann"), probe.group()
    add = {"op": "add", "path": "members", "value": [{"value": ann.id}]}
    tags = [tag(probe.get(made.path).status(200))]
    for operation in (add, add, {"op": "remove", "path": f'members[value eq "{ann.id}"]'}):
        probe.patch(made.path, operation).status(200, 204)
        now = probe.get(made.path).status(200)
        tags.append(tag(now))
    now.expect(tags[0] != tags[1] == tags[2] != tags[3], "another version, the same, another", " ".join(tags))
