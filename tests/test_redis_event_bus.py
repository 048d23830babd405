"""Trade events on Redis: heard by whoever listens, and nobody waits where the server is away."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from sptrader_desktop.adapters.redis_events import CHANNEL, RedisEventBus
from sptrader_desktop.adapters.redis_server import RedisServer, open_redis
from sptrader_desktop.compose_servers import event_bus
from tests.servers import elsewhere, ends, server_process


def heard(pubsub: Any) -> list[Any]:
    found = []
    while (message := pubsub.get_message(ignore_subscribe_messages=True, timeout=0.05)) is not None:
        found.append(json.loads(message["data"]))
    return found


def test_events_are_heard_in_their_order(valkey: RedisServer) -> None:
    client: Any = valkey.client
    with client.pubsub() as pubsub:
        pubsub.subscribe(CHANNEL)
        pubsub.get_message(timeout=1)

        async def story() -> RedisEventBus:
            bus = event_bus(valkey)
            running = asyncio.create_task(bus.run())
            for number in range(1_000):
                bus.publish({"event": "ORDER_CREATED", "number": number, "price": Decimal("1.0860")})
            while bus.published < 1_000:
                await asyncio.sleep(0.001)
            running.cancel()
            await bus.close()
            return bus

        bus = asyncio.run(story())
        assert heard(pubsub) == [{"event": "ORDER_CREATED", "number": number, "price": "1.0860"} for number in range(1_000)]
    assert bus.dropped == 0


def test_a_server_that_is_away_costs_the_oldest_events_and_nobody_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sptrader_desktop.adapters.redis_events.LONGEST_QUEUE", 100)
    settings = elsewhere("events")
    server = open_redis(settings)

    async def story() -> RedisEventBus:
        bus = event_bus(server)
        running = asyncio.create_task(bus.run())
        bus.publish({"number": -1})
        while not bus.published:
            await asyncio.sleep(0.001)
        process = server_process(settings, "valkey")
        assert process is not None
        process.kill()
        assert ends(process)
        for number in range(500):
            bus.publish({"number": number})
        assert bus.dropped == 400
        while bus.published + bus.dropped < 501:
            await asyncio.sleep(0.001)
        running.cancel()
        await bus.close()
        return bus

    bus = asyncio.run(story())
    assert (bus.published, bus.dropped) == (101, 400)
    assert bus.status.connected
    server.close()
