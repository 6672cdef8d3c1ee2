"""A scanner: sends a scan, and tells what becomes of it until that is settled.

    scanner.py USER ID PARCEL FILE
"""

import json
import os
import sys
import urllib.request

HUB = os.environ["ATAMO_URL"]
user, event_id, parcel, file = sys.argv[1:]
with open(file, encoding="utf-8") as scan:
    event = {"specversion": "1.0", "type": "parcel.scanned", "source": "/vans/12", "id": event_id,
             "subject": parcel, "user": user, "data": json.load(scan)}
request = urllib.request.Request(f"{HUB}/v1/events", json.dumps(event).encode(),
                                 {"content-type": "application/cloudevents+json"})
with urllib.request.urlopen(request) as answer:
    message = json.load(answer)["message"]
with urllib.request.urlopen(f"{HUB}/v1/telemetry?since=oldest&message={message}") as stream:
    for line in stream:
        if not line.startswith(b"data: "):
            continue
        step = json.loads(line.removeprefix(b"data: "))
        if step["step"] in ("retry", "alert"):
            print(f"{step['step']}: mail of {step.get('user', user)}, attempt {step['attempt']}: "
                  f"{step['text']}", flush=True)
        if step["step"] == "finished":
            break
