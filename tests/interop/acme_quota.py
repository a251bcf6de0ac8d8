"""Orders of one account at once that nobody finalizes: what each is told, and what the account has in the end.

acme_quota.py DIRECTORY CA KEYID HMAC COUNT THREADS

A request that the daemon's end cuts off is sent again as a new one."""
import collections
import json
import re
import time

from acme_orders import Client, account, as_json, at_once, count, directory, threads

answers = collections.Counter()


def work(first, _):
    client = Client(account)
    for n in range(first, count + 1, threads):
        order = as_json({"identifiers": [{"type": "dns", "value": f"unit-{n}.example.com"}]})
        while (status := client.post_once(directory["newOrder"], order)[0]) is None:
            time.sleep(0.05)
        answers[status] += 1


def listed():
    client, url, orders = Client(account), account + "/orders", []
    while url:
        headers, text = client.post(url, b"")
        orders += json.loads(text)["orders"]
        following = [re.match('<(.*)>;rel="next"$', link) for link in headers.get_all("Link")]
        url = next((link.group(1) for link in following if link), None)
    assert len(orders) == len(set(orders))
    return len(orders)


at_once(work)
print(*(f"{status}:{number}" for status, number in sorted(answers.items())), f"listed:{listed()}")
