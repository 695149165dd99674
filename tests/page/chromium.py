"""Drives a headless Chromium by the DevTools protocol, over a pair of pipes."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

GIVE_UP = 120.0  # seconds, for machines that are busy with other things
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"]
# The browser reads commands from descriptor 3 and answers on 4.
START = ("import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
         "os.execvp(sys.argv[3], sys.argv[3:])")


def find():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class Chromium:
    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix="grouplink-chromium-")
        (command_read, command_write), (answer_read, answer_write) = os.pipe(), os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (command_read, answer_write)]
        os.close(command_read)
        os.close(answer_write)
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, high), program, *FLAGS, f"--user-data-dir={self.profile}",
             "about:blank"],
            pass_fds=high, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        for fd in high:
            os.close(fd)
        self.commands, self.answers = command_write, answer_read
        self.buffer = b""
        self.number = 0
        self.events = []

    def close(self):
        try:
            self.send("Browser.close")
            self.process.wait(20)
        except (OSError, subprocess.TimeoutExpired, EOFError, TimeoutError):
            os.killpg(self.process.pid, 9)  # the session of its own that it was started in
            self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.profile, ignore_errors=True)

    def read(self, end):
        """The next message."""
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError("Chromium does not answer")
            chunk = os.read(self.answers, 1 << 20)
            if not chunk:
                raise EOFError("Chromium has ended")
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        end = time.monotonic() + GIVE_UP
        while True:
            answer = self.read(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url, width, height, scheme, phone=False):
        return Tab(self, url, width, height, scheme, phone)


class Tab:
    """A page, loaded; what it asked for and complained about is in `requests` and `complaints`."""

    def __init__(self, browser, url, width, height, scheme, phone):
        self.browser = browser
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.events.clear()
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=phone)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Page.navigate", url=url)
        end = time.monotonic() + GIVE_UP
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events()):
            browser.events.append(browser.read(end))
        # Whatever it would still ask for, it has by now.
        self.evaluate("new Promise(done => setTimeout(done, 150))")
        self.requests = [event["params"]["request"]["url"] for event in self.events()
                         if event.get("method") == "Network.requestWillBeSent"]
        self.complaints = [event for event in self.events()
                           if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled",
                                                      "Log.entryAdded")]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def events(self):
        return [event for event in self.browser.events if event.get("sessionId") == self.session]

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def evaluate(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def screenshot(self, path, clip=None):
        whole = {"clip": clip | {"scale": 1}} if clip else {}
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True, **whole)
        path.write_bytes(base64.b64decode(shot["data"]))
