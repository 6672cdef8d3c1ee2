"""What the rules of atamo.yaml mean, written down a second time in plain Python."""


def path(value, *names):
    """The value at a path of names; None if there is none (GitHub writes null for that, too)."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def push(data):
    if data["ref"].startswith("refs/heads/") and data["deleted"] is False:
        yield "push-to-branch", "team"
    if data["ref"].startswith("refs/tags/") and data["deleted"] and data["head_commit"] is None:
        yield "tag-removed", "team"
    if len(data["commits"]) > 0:
        yield "push-with-changes", "archive"


def pull_request(data):
    request = data["pull_request"]
    ready = data["action"] in ("opened", "reopened", "ready_for_review")
    if ready and request["draft"] is False and 0 < request.get("changed_files", 0) <= 20:
        yield "review-wanted", "review"
        yield "review-wanted", "team"
    names = {label["name"].lower() for label in request["labels"]}
    if data["action"] not in ("labeled", "unlabeled") and "bug" in names:
        yield "bug-pull-request", "archive"
    if path(data, "requested_reviewer", "login") is not None:
        yield "reviewers-asked", "review"


def issues(data):
    title = path(data, "issue", "milestone", "title") or ""
    if title.endswith("0") or path(data, "issue", "assignee", "login") == "Codertocat":
        yield "issue-with-milestone-or-assignee", "team"
    if data["action"] in ("closed", "deleted") or data["action"].startswith("trans"):
        yield "issue-ended", "archive"
    if path(data, "organization", "login") is None and data["issue"]["comments"] < 1:
        yield "issue-of-organization", "archive"


KINDS = {"push": push, "pull_request": pull_request, "issues": issues}


def fan_out(kind, data):
    """(rule, agent) of each action that an event of this kind becomes."""
    yield from KINDS.get(kind, lambda _: ())(data)
    person = path(data, "sender", "type") == "User"
    if person and path(data, "repository", "private") is False:
        yield "sender-is-person", "archive"
