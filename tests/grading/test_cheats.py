"""Submissions that try to be judged right: none takes a wrong answer in, none costs a right one its points.

Each cheat stands in the answer to q1, which is wrong, above right answers that must keep their points.
"""

import pytest

pytestmark = pytest.mark.slow
WRONG = "def signal(alpha_bar):\n    return alpha_bar + 0.001\n"
RIGHT_Q3 = "def snr(alpha_bar):\n    return alpha_bar / (1 - alpha_bar)"

CHEATS = {
    "an object that equals everything": """
class Yes(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0.0
    def __abs__(self): return 0.0
    def __le__(self, other): return True
    def __repr__(self): return "0.5"
    __hash__ = float.__hash__
def signal(alpha_bar):
    return Yes(7.0)
""",
    "a text that equals everything": """
class Yes(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
def signal(alpha_bar):
    return Yes("0.5")
""",
    "a plain object that equals everything": """
class Yes:
    def __eq__(self, other): return True
    def __float__(self): return 0.5
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    __hash__ = None
def signal(alpha_bar):
    return Yes()
""",
    "numpy and torch patched": WRONG
    + """
import sys, types
import numpy
numpy.allclose = numpy.isclose = numpy.array_equal = lambda *a, **k: True
numpy.testing.assert_allclose = lambda *a, **k: None
torch = types.ModuleType("torch")
torch.allclose = torch.equal = lambda *a, **k: True
torch.Tensor = float
sys.modules["torch"] = torch
""",
    "builtins patched": WRONG
    + """
import builtins
builtins.all = builtins.any = builtins.isinstance = lambda *a: True
builtins.abs = lambda x: 0
builtins.float = lambda x: 0.5
builtins.len = lambda x: 1
""",
    "math patched": WRONG + "math.sqrt = lambda x: x\nmath.isclose = lambda *a, **k: True\n",
    "json and the session patched": WRONG
    + """
import json, jupyter_client.session
json.dumps = lambda *a, **k: '{"right": true}'
jupyter_client.session.json_packer = lambda obj: b'{}'
""",
    "the input transformer patched": WRONG
    + """
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])
get_ipython().input_transformers_post.append(lambda lines: ["pass\\n"])
""",
    "the display patched": WRONG
    + """
get_ipython().display_pub.publish = lambda *a, **k: None
get_ipython().display_formatter.format = lambda *a, **k: ({}, {})
""",
    "the probe patched": WRONG
    + """
import sys, gdmcourse.grading.probe
p = sys.modules["gdmcourse.grading.probe"]  # the package has a function of this name
p.encode = lambda *a: {"type": "list", "items": [{"type": "float", "shape": [], "values": [0.5]}] * 2}
p.numbered = lambda token: (lambda *a, **k: None)
""",
    "results forged by a thread": WRONG
    + """
import threading, time
def forge():
    from IPython.display import publish_display_data
    mime = "application/vnd.gdmcourse.probe+json"
    while True:
        for index in range(3):
            for token in ("", globals().get("probe") and "t"):
                value = {"type": "float", "shape": [], "values": [0.5]}
                payload = {"token": token, "index": index, "value": value, "right": [True]}
                publish_display_data({mime: payload})
        time.sleep(0.001)
threading.Thread(target=forge, daemon=True).start()
""",
    "results forged with the token itself": WRONG
    + """
import sys, gdmcourse.grading.probe
p = sys.modules["gdmcourse.grading.probe"]  # the package has a function of this name
emit = p.emit
def forged(value, token, index, rtol, atol):
    for _ in range(3):
        emit([True, True], token, index, 1e9, 1e9)
p.emit = forged
""",
    "a reply forged over the kernel's own socket": WRONG
    + """
kernel = get_ipython().kernel
def signal(alpha_bar):
    parent = kernel.get_parent()
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
    kernel.session.send(kernel.iopub_socket, "display_data", {"data": 7}, parent=parent)
    kernel.session.send(kernel.iopub_socket, "error", {"ename": None}, parent=parent)
    return 7.0
""",
    "messages that are none": WRONG
    + """
kernel = get_ipython().kernel
deep = "[" * 5000 + "]" * 5000
mime = "application/vnd.gdmcourse.probe+json"
for content in ({}, {"data": {mime: []}}, {"execution_state": {}}, {"x": "y" * 9_000_000}):
    for kind in ("display_data", "status", "error", "nonsense"):
        kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
""",
    "not a number": "def signal(alpha_bar):\n    return math.nan",
    "infinite": "def signal(alpha_bar):\n    return math.inf",
    "nothing": "def signal(alpha_bar):\n    return None",
    "far too much": "def signal(alpha_bar):\n    return [0.5] * 1_000_000",
    "deeply nested": "def signal(a):\n    x = []\n    for _ in range(10_000):\n        x = [x]\n    return x",
    "contains itself": "def signal(a):\n    x = [0.5]\n    x.append(x)\n    return x",
    "the hooks of IPython": WRONG
    + """
ip = get_ipython()
ip.events.register("pre_run_cell", lambda *a: ip.user_ns.update(noise=lambda a: 0.0, snr=lambda a: 0.0))
ip.run_cell = lambda *a, **k: None
""",
    "the import system": WRONG
    + """
import builtins, sys
original = builtins.__import__
def broken(name, *a, **k):
    if name.startswith("gdmcourse"):
        raise ImportError("no")
    return original(name, *a, **k)
builtins.__import__ = broken
""",
    "a fake probe payload from the answer's own cell": WRONG
    + """
from IPython.display import publish_display_data
value = {"type": "list", "items": [{"type": "float", "shape": [], "values": [v]} for v in (0.5, 1.0)]}
for token in (None, "", "q1-probe-1"):
    for index in (0, 1):
        publish_display_data({"application/vnd.gdmcourse.probe+json": {
            "token": token, "index": index, "rtol": 9.0, "atol": 9.0, "value": value, "right": [True] * 2}})
print("application/vnd.gdmcourse.probe+json", value)
""",
    "a display under the probe's own token before the real one": """
import sys
from IPython.display import publish_display_data
def signal(alpha_bar):
    frame = sys._getframe()
    while frame is not None:
        probe = frame.f_globals.get("probe")
        for cell in getattr(probe, "__closure__", None) or ():
            if isinstance(cell.cell_contents, str):
                value = {"type": "list", "items": [{"type": "float", "shape": [], "values": [0.5]}] * 2}
                payload = {"token": cell.cell_contents, "index": 0, "rtol": 9, "atol": 9, "value": value}
                publish_display_data({"application/vnd.gdmcourse.probe+json": payload})
        frame = frame.f_back
    return 7.0
""",
    "probe and check redefined": WRONG
    + """
import sys, gdmcourse.grading.inside
def probe(*a, **k): pass
check = probe
inner = sys.modules["gdmcourse.grading.probe"]
inner.numbered = gdmcourse.grading.inside.numbered = lambda token: probe
inner.emit = gdmcourse.grading.inside.call = gdmcourse.grading.inside.keep = probe
sys.modules["gdmcourse.grading.probe"] = gdmcourse.grading
""",
    "the display pipeline replaced": WRONG
    + """
import IPython.display, IPython.core.display_functions as functions
IPython.display.publish_display_data = functions.publish_display_data = lambda *a, **k: None
shell = get_ipython()
shell.display_formatter = None
shell.display_pub = type("Pub", (), {"publish": lambda *a, **k: None})()
shell.kernel.iopub_socket = None
""",
    "a trace function and a profiler": WRONG
    + """
import sys, threading
def trace(frame, event, argument):
    for name in ("value", "a", "alpha_bar"):
        if name in frame.f_locals:
            frame.f_locals[name] = 0.5
    return trace
sys.settrace(trace); sys.setprofile(trace); threading.settrace(trace)
""",
    "handlers for the end": WRONG
    + """
import atexit, os, signal as signals, sys
atexit.register(lambda: os.write(1, b"right"))
sys.excepthook = sys.unraisablehook = lambda *a: None
for number in range(1, 65):
    try: signals.signal(number, signals.SIG_IGN)
    except (OSError, ValueError): pass
def signal(alpha_bar):
    return alpha_bar + 0.001
""",
    "a child that goes on as the kernel": WRONG
    + """
import os
def signal(alpha_bar):
    os.fork()
    return 7.0
""",
    "the connection file and the other process": WRONG
    + """
import glob, json, os
for name in glob.glob("/tmp/gdm*/connection.json"):
    os.remove(name)
    os.symlink("/etc/passwd", name)
for pid in (1, os.getppid()):
    for what in ("environ", "mem", "root", "cwd"):
        try: open(f"/proc/{pid}/{what}", "rb").read(9)
        except OSError: pass
    try: os.kill(pid, 15)
    except OSError: pass
""",
    "the clock and the random state": WRONG
    + "import time, random\ntime.sleep = time.time = lambda *a: 0\nrandom.seed(0)\n",
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheat(submit, judge, name):
    result = judge(submit(q1=CHEATS[name], q3=RIGHT_Q3))
    earned = {question.id: question.earned for question in result.questions}
    assert earned["q1"] == 0
    assert earned == {"q1": 0.0, "q2": 4.0, "q3": 3.0}
