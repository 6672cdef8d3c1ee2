"""A worker that misbehaves as its first argument says. Speaks the protocol without any help."""

import json
import os
import signal
import sys
import time


def read():
    for line in sys.stdin:
        yield json.loads(line)


def write(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def done(action, **more):
    write(json.dumps({"id": action["id"], "outcome": "done", **more}))


def garbage_first():
    for action in read():
        write('{"id": "99", "outcome": "done"}')
        write('{"id": "' + action["id"] + '", "outcome": "perhaps"}')
        write("\x01 not JSON \xff")
        write("[]")
        write("")
        done(action)


def only_garbage():
    for _ in read():
        while True:
            write("blah")


def ready():
    """So that a test need not know how long Python takes to start."""
    write('{"log": "info", "text": "ready"}')


def silent():
    ready()
    for message in read():
        if "cancel" in message:
            write(json.dumps({"log": "warn", "text": f"cancelled: {message['reason']}"}))


def late():
    """Answers an action when it is cancelled, and others at once."""
    ready()
    first = None
    for message in read():
        if "cancel" in message:
            done(first)
        elif first is None:
            first = message
        else:
            done(message)


def closes_stdout():
    for _ in read():
        os.close(1)
        time.sleep(1000)


def long_answer():
    for action in read():
        if action["attempt"] == 1:
            done(action, response="x" * 5000)
        else:
            done(action)


def killed():
    for _ in read():
        os.kill(os.getpid(), signal.SIGKILL)


def dies_after_answer():
    """Whatever it has written before it dies counts."""
    for action in read():
        done(action)
        os._exit(3)


def dies_at_start():
    os._exit(4)


def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready()
    while True:
        time.sleep(1000)


def deaf_once():
    """The first of its kind never reads."""
    try:
        os.close(os.open(os.environ["MARK"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        for message in read():
            if "cancel" not in message:
                done(message)
    while True:
        time.sleep(1000)


def descriptors():
    for action in read():
        numbers = sorted(int(name) for name in os.listdir("/proc/self/fd"))
        # the last one is that of the folder that is being listed
        blocked = [l.split()[1] for l in open("/proc/self/status") if l.startswith("SigBlk")]
        done(action, response={"fds": numbers[:-1], "blocked": int(blocked[0], 16)})


def leaves_a_child():
    for action in read():
        pid = os.fork()
        if pid == 0:
            time.sleep(1000)
        done(action, response=pid)
        os._exit(0)


def base64_answer():
    for action in read():
        write(json.dumps({"id": action["id"], "response_base64": "AAEC/w=="}))
        done(action)


def feeds():
    """One response, then no end before it is cancelled; says what it was asked for."""
    ready()
    for message in read():
        if "cancel" in message:
            write(json.dumps({"id": first, "outcome": "done"}))
        else:
            first = message["id"]
            write(json.dumps({"id": first, "response": message.get("wants_feed"), "key": "EUR"}))


def deaf_feed():
    """A feed that does not end when it is cancelled."""
    ready()
    for message in read():
        if "cancel" not in message:
            write(json.dumps({"id": message["id"], "progress": 0.5}))


def talks():
    """More than a pipe holds."""
    ready()
    for action in read():
        for number in range(2000):
            write(json.dumps({"id": action["id"], "response": [number, "x" * 100]}))
        done(action)


globals()[sys.argv[1]]()
