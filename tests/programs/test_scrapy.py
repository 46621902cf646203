"""Scrapy on pyuv's event loop, by its settings: it crawls by Twisted, on asyncio's loop."""

import http.server
import json
import subprocess
import sys
import threading

import pytest

SPIDER = """
import asyncio
import sys

import scrapy
from scrapy.crawler import CrawlerProcess


class Links(scrapy.Spider):
    name = "links"
    start_urls = [sys.argv[1]]

    async def parse(self, response):
        from twisted.internet import reactor

        loop = type(asyncio.get_running_loop())
        # A coroutine of asyncio's in the middle of a callback.
        await asyncio.sleep(0)
        yield {
            "url": response.url,
            "title": response.css("title::text").get(),
            "loop": f"{loop.__module__}.{loop.__qualname__}",
            "reactor": type(reactor).__name__,
        }
        for link in response.css("a"):
            yield response.follow(link, self.parse)


process = CrawlerProcess(
    {
        "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
        "ASYNCIO_EVENT_LOOP": "pyuv.asyncio.EventLoop",
        "FEEDS": {sys.argv[2]: {"format": "json"}},
        "LOG_LEVEL": "WARNING",
        "TELNETCONSOLE_ENABLED": False,
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    }
)
process.crawl(Links)
process.start()
"""
PAGES = 100


class Site(http.server.BaseHTTPRequestHandler):
    """Pages, each with links to two others."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = int(self.path.strip("/") or 0)
        links = "".join(f"<a href='/{n}'>{n}</a>" for n in (2 * number + 1, 2 * number + 2) if n < PAGES)
        body = f"<title>page {number}</title>{links}".encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def site():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.daemon_threads = False
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_port}/0"
        server.shutdown()


def test_a_crawl_finds_every_page(site, tmp_path):
    (tmp_path / "spider.py").write_text(SPIDER)
    command = [sys.executable, "-X", "faulthandler", "spider.py", site, "found.json"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert sorted(page["title"] for page in found) == sorted(f"page {number}" for number in range(PAGES))
    assert {page["loop"] for page in found} == {"pyuv.asyncio._event_loop.EventLoop"}
    assert {page["reactor"] for page in found} == {"AsyncioSelectorReactor"}
