"""A program that uses all of the package, for the type checker only."""

import asyncio
import pathlib
from typing import Sequence

import atamo


class Prices(atamo.Agent):
    """Tells prices."""

    mode = atamo.INLINE
    options = [atamo.Option("pause", "Between two.", "duration", default="1s")]

    def start(self) -> None:
        pause: float = self.config["pause"]
        self.log(f"{self.name} waits {pause}", atamo.WARN)

    def handle(self, action: atamo.Action) -> object:
        action.respond({"a": 1}, key="EUR", wait=None)
        action.emit("other", b"", subject="x", delay=0.5)
        raise atamo.Retry("later", after=2)

    def cancel(self, action: atamo.Action, reason: str) -> None:
        action.fail(reason)


class Hears(atamo.Auditor):
    def records(self, records: Sequence[atamo.Record], lost: int) -> None:
        print([record.text for record in records], lost)


@atamo.agent(mode=atamo.POOL)
def greet(action: atamo.Action) -> object:
    return action.json()


def show(replies: Sequence[atamo.Reply]) -> None:
    for reply in replies:
        print(reply.agent.upper(), reply.progress + 1, reply.kind is atamo.ReplyKind.END)


async def listen(client: atamo.Client) -> list[atamo.Reply]:
    async for reply in client.feed("prices", slow=atamo.Slow.LATEST):
        print(reply.text)
    return await client.request("greet")


def main() -> None:
    with atamo.Hub(pathlib.Path("hub.yaml"), plugins=[Prices, Hears, greet]) as hub:
        with hub.client() as client:
            number: int = client.submit("order", {"n": 1}, user="ada", wait=None)
            print(hub.why(number)["id"], hub.stats()["done"] + 1)
            request: atamo.Request = client.request("order", answers=1, on_replies=show)
            request.cancel()
            asyncio.run(listen(client))
