"""The exam papers: their form, and each number of their solutions computed again by another way."""

import itertools
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from gdmbook.chapters import pages
from gdmbook.claims import labelled
from scipy import integrate, stats

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "solutions/exams"
PAPERS = sorted(path.stem for path in FOLDER.glob("paper_?.md"))
QUESTION = re.compile(r"^## (\d+)\. (.+) \(Part (I|II|III|IV|V), (.+); (\d+) points\)$", re.M)
KINDS = {"derive", "compute", "find the error", "read the figure", "design"}


def paper(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def solutions(name: str) -> str:
    return paper(f"{name}_solutions")


def answers(name: str) -> dict[str, str]:
    return yaml.safe_load(solutions(name).split("---\n")[1])["myst"]["substitutions"]


def code(text: str) -> str:
    (found,) = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    return found


def density(function, low=-math.inf, high=math.inf) -> float:
    return integrate.quad(function, low, high, limit=400)[0]


def paper_1() -> dict[str, float]:
    normal, points = stats.norm, np.array([0.0, 1.0, 3.0])
    grid = np.linspace(1, 2, 1_000_001)
    shares = 0.25 * normal.pdf(points, 2) / (0.75 * normal.pdf(points) + 0.25 * normal.pdf(points, 2))
    level = np.argmin(np.abs(0.75 * normal.pdf(grid) - 0.25 * normal.pdf(grid, 2)))
    d = np.linspace(1e-4, 1 - 1e-4, 999_901)
    value = 3 * np.log(d) + np.log(1 - d)
    mean, covariance = chain(2.0, (0.1, 0.2, 0.5))
    gain = covariance[1, 2] / covariance[2, 2]
    figure = shown("paper_1")
    errors = {
        second: [abs(figure["walk"](n, second) - figure["exact"]) for n in (64, 128)]
        for second in (False, True)
    }
    return {
        "q1a": shares[1],
        "q1b": grid[level],
        "q1c": float(shares @ points / shares.sum()),
        "q3a": d[value.argmax()],
        "q3b": value.max(),
        "q5a": (mean[2] / 2) ** 2,
        "q5b": mean[2],
        "q5c": covariance[2, 2],
        "q5d": mean[1] + gain * (1 - mean[2]),
        "q5e": covariance[1, 1] - gain * covariance[1, 2],
        "q6a": round(math.log2(errors[False][0] / errors[False][1])),
        "q6b": round(math.log2(errors[True][0] / errors[True][1])),
        "q7a": jensen_shannon(lambda y: float(0 <= y < 1), lambda y: float(2 <= y < 3), (0, 1, 2, 3)),
        "q7b": 0.25 * sum(divergence(*pair) for pair in itertools.permutations((0.0, 1.0))),
    }


def chain(start: float, betas: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the walk's points, from the matrix that makes them of its noises."""
    size = len(betas)
    mean, noises = np.empty(size), np.zeros((size, size))
    for at, beta in enumerate(betas):
        mean[at] = math.sqrt(1 - beta) * (mean[at - 1] if at else start)
        noises[at] = math.sqrt(1 - beta) * noises[at - 1] if at else 0
        noises[at, at] = math.sqrt(beta)
    return mean, noises @ noises.T


def divergence(mean: float, other: float) -> float:
    """KL of two normal laws of standard deviation 2."""
    p, q = stats.norm(mean, 2), stats.norm(other, 2)
    return density(lambda y: p.pdf(y) * (p.logpdf(y) - q.logpdf(y)), -30, 30)


def jensen_shannon(p, q, ends) -> float:
    def part(a, b, y):
        return a(y) * math.log(2 * a(y) / (a(y) + b(y))) if a(y) else 0.0

    parts = itertools.pairwise(ends)
    return sum(density(lambda y: (part(p, q, y) + part(q, p, y)) / 2, low, high) for low, high in parts)


def paper_2() -> dict[str, float]:
    paths = {}
    for path in itertools.product((0, 1), repeat=3):  # 0 fair, 1 loaded
        moves = [0.9 if a == b else 0.1 for a, b in itertools.pairwise(path)]
        rolls = [(5 / 6, 1 / 2)[die] if at == 2 else (1 / 6, 1 / 2)[die] for at, die in enumerate(path)]
        paths[path] = 0.5 * math.prod(moves) * math.prod(rolls)
    total = sum(paths.values())

    def layer(x):
        return torch.stack([x[0], x[1] * 2 + 1])

    x = torch.tensor([1.0, 0.5], dtype=torch.float64)
    assert layer(x).tolist() == [1, 2]
    jacobian = torch.autograd.functional.jacobian(layer, x)
    flow = stats.norm.logpdf(x.numpy()).sum() - torch.linalg.slogdet(jacobian)[1].item()

    def change(point):
        psi, theta = point
        share = torch.sigmoid(-psi * theta)
        return torch.stack([-theta * (1 - torch.sigmoid(-psi * theta)), psi * (1 - share)])

    field = torch.autograd.functional.jacobian(change, torch.zeros(2, dtype=torch.float64)).numpy()
    grows = np.abs(np.linalg.eigvals(np.eye(2) + 0.2 * field)).max()
    steps = next(n for n in range(1, 1000) if grows**n >= 2)
    damped = np.linalg.eigvals(field - np.diag([1.0, 0.0]))
    figure = shown("paper_2")
    most = figure["divergence"][-1]
    end = next(s for s, d in zip(figure["shifts"], figure["divergence"], strict=True) if d > 0.99 * most)
    fall = [gaussian_divergence(*place) for place in ((1.0, 2.0), (0.9, 1.85))]
    real, made = np.array([0, 1, 3.0]), np.array([0.5, 2.2, 7])
    gaps = np.abs(real[:, None] - made)
    radii, others = (np.sort(np.abs(x[:, None] - x), 1)[:, 1] for x in (real, made))
    inside = gaps <= radii[:, None]
    return {
        "q1a": total,
        "q1b": sum(chance for path, chance in paths.items() if path[-1]) / total,
        "q2a": flow,
        "q3a": grows,
        "q3b": steps,
        "q3c": damped.real.max(),
        "q4a": most,
        "q4b": end,
        "q6a": best_guess(2.5),
        "q7a": fall[0],
        "q7b": fall[1],
        "q7c": fall[0] - fall[1],
        "q8a": inside.any(0).mean(),
        "q8b": (gaps <= others).any(1).mean(),
        "q8c": inside.sum(0).mean(),
        "q8d": inside.any(1).mean(),
    }


def gaussian_divergence(mean: float, deviation: float) -> float:
    g, p = stats.norm(mean, deviation), stats.norm()
    return density(lambda x: g.pdf(x) * (g.logpdf(x) - p.logpdf(x)), -40, 40)


def best_guess(y: float) -> float:
    prior = stats.norm(0, 2)
    both = [density(lambda x, k=k: x**k * prior.pdf(x) * stats.norm.pdf(y - x), -20, 20) for k in (0, 1)]
    return both[1] / both[0]


def paper_3() -> dict[str, float]:
    bits = -math.log2(0.5 * 0.25 * 0.5)
    p, q = np.array([0.5, 0.5, 0, 0]), np.array([0, 0.25, 0.25, 0.5])
    entropies = [stats.entropy(x) for x in ((p + q) / 2, p, q)]
    pulled = []
    for loss in (lambda f: torch.log(1 - torch.sigmoid(f)), lambda f: -torch.log(torch.sigmoid(f))):
        f = torch.tensor(-5.0, dtype=torch.float64, requires_grad=True)
        loss(f).backward()
        pulled.append(f.grad.item())
    figure = shown("paper_3")
    grid = np.linspace(-5, 5, 400_001)
    tilted = np.exp(2 * stats.norm.logpdf(grid, 1, 0.5) - stats.norm.logpdf(grid))
    tilted /= tilted.sum()
    mean = tilted @ grid
    fit = np.linalg.solve([[1, 1 / 500], [1, 1 / 2000]], [14.0, 11.0])
    mass = [density(lambda u, k=k: (1 - u) * math.cos(math.pi * k * u), 0, 1) for k in (0, 1)]
    return {
        "q2a": bits / 3,
        "q2b": math.log2(8) / 3,
        "q2c": receptive_field(4),
        "q2d": next(n for n in range(1, 20) if receptive_field(n) >= 1000),
        "q3a": stats.wasserstein_distance(range(4), range(4), p, q),
        "q3b": entropies[0] - (entropies[1] + entropies[2]) / 2,
        "q4a": pulled[0],
        "q4b": pulled[1],
        "q4c": pulled[1] / pulled[0],
        "q5a": np.abs(figure["linear"] - 0.5).argmin(),
        "q5b": np.abs(figure["cosine"] - 0.5).argmin(),
        "q6a": mean,
        "q6b": math.sqrt(tilted @ (grid - mean) ** 2),
        "q7a": mass[0],
        "q7b": mass[1],
        "q8a": fit[0],
        "q8b": fit[1],
        "q8c": fit[0] + fit[1] / 50_000,
        "q8d": 11.6 - fit[1] / 1000,
    }


def receptive_field(layers: int) -> int:
    """How many inputs reach the last output: a one is sent through the layers from there, backwards."""
    x = torch.ones(1, 1, 3000, dtype=torch.float64, requires_grad=True)
    out = x
    for at in range(layers):
        out = torch.nn.functional.conv1d(
            torch.nn.functional.pad(out, (2**at, 0)), torch.ones(1, 1, 2).double(), dilation=2**at
        )
    out[0, 0, -1].backward()
    return int((x.grad != 0).sum())


def shown(name: str) -> dict:
    """The names that a paper's figure defines; it is drawn into memory."""
    import matplotlib

    matplotlib.use("Agg")
    (cell,) = re.findall(r"^```\{code-cell\} ipython3\n---\n.*?---\n(.*?)^```", paper(name), re.M | re.S)
    names: dict = {}
    exec(compile(cell, name, "exec"), names)
    names["plt"].close("all")
    return names


COMPUTED = {"paper_1": paper_1, "paper_2": paper_2, "paper_3": paper_3}
READ = {("paper_1", "q6c"), ("paper_1", "q6d")}  # from a figure, with a test of their own


@pytest.mark.parametrize("name", PAPERS)
def test_every_number_of_the_solutions_is_right(name):
    said, computed = answers(name), COMPUTED[name]()
    assert set(said) == set(computed) | {label for where, label in READ if where == name}
    wrong = {
        label: (said[label], float(value))
        for label, value in computed.items()
        if abs(float(said[label]) - value) > 0.5001 * 10.0 ** -len(said[label].partition(".")[2])
    }
    assert wrong == {}


@pytest.mark.parametrize("name", PAPERS)
def test_every_number_stands_in_the_text(name):
    assert set(re.findall(r"\{\{ (\w+) \}\}", solutions(name))) == set(answers(name))


def test_the_calls_that_each_walk_needs_are_read_within_the_bound():
    figure = shown("paper_1")
    for label, second, calls in (("q6c", False, 1), ("q6d", True, 2)):
        enough = next(n for n in range(2, 400) if abs(figure["walk"](n, second) - figure["exact"]) <= 0.01)
        assert int(answers("paper_1")[label]) == pytest.approx(calls * enough, rel=0.1)


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_asks_everything_in_ninety_minutes(name):
    asked = QUESTION.findall(paper(name))
    assert [int(number) for number, *_ in asked] == list(range(1, 9))
    assert {part for _, _, part, *_ in asked} == {"I", "II", "III", "IV", "V"}
    assert {kind for *_, kind, _ in asked} == KINDS
    assert [int(points) for *_, points in asked] == [10] * 8


def test_the_papers_and_solutions_render_without_a_warning(tmp_path):
    (command,) = re.findall(r"^exams:.*\n\t(.+)$", (ROOT / "Makefile").read_text(), re.M)
    words = command.replace("$(BIN)/python", sys.executable).replace("_build/exams", str(tmp_path)).split()
    subprocess.run([*words, "-D", "nb_execution_mode=off"], cwd=ROOT, check=True, capture_output=True)
    pages = {path.stem for path in tmp_path.glob("*.html")}
    assert pages >= {"index", *PAPERS, *(f"{name}_solutions" for name in PAPERS)}


@pytest.mark.parametrize("name", PAPERS)
def test_each_solution_has_its_question_and_its_points(name):
    headings = re.findall(r"^## (\d+\. .+)$", solutions(name), re.M)
    assert headings == [f"{number}. {title}" for number, title, *_ in QUESTION.findall(paper(name))]
    for part in re.split(r"^## ", solutions(name), flags=re.M)[1:]:
        assert sum(int(points) for points in re.findall(r"^- (\d+): ", part, re.M)) == 10, part


def test_the_equations_that_solutions_name_are_there():
    known = {label for page in pages(ROOT) for label, _ in labelled(page.text)}
    named = {label for name in PAPERS for label in re.findall(r"`(eq-[\w-]+)`", solutions(name))}
    assert named
    assert named <= known


def run(source: str, name: str, **names):
    exec(compile(source, name, "exec"), names)
    return names[name]


def test_the_penalty_has_three_errors_and_the_mended_one_none():
    from gdmcourse.gan.penalties import unit_norm_penalty

    torch.manual_seed(0)
    real, made, critic = torch.randn(64, 2), torch.randn(64, 2) + 3, torch.nn.Linear(2, 1)
    mended = run(code(solutions("paper_1")), "penalty", torch=torch)
    faulty = run(code(paper("paper_1")), "penalty", torch=torch)
    right = unit_norm_penalty(critic, real, made, torch.Generator().manual_seed(0))
    assert mended(critic, real, made).item() == pytest.approx(right.item(), rel=1e-4)
    assert mended(critic, real, made).requires_grad
    assert not faulty(critic, real, made).requires_grad
    assert faulty(critic, real, made).item() > 4 * right.item()


def test_the_sampler_has_three_errors_and_the_mended_one_draws_the_law():
    from gdmcourse.diffusion import cosine_schedule
    from gdmcourse.probability import GaussianMixture

    law, schedule = GaussianMixture.isotropic(torch.tensor([[-1.5], [1.0]]), 0.2), cosine_schedule(50)

    def noise(x, t):
        return law.noise(x, schedule.alpha_bar[t])

    torch.manual_seed(0)
    tables = (schedule.beta, schedule.alpha, schedule.alpha_bar)
    drawn = {
        text: run(code(text), "sample", torch=torch)(noise, *tables, (500, 1))
        for text in (paper("paper_2"), solutions("paper_2"))
    }
    faulty, mended = (x[x > 0].std().item() for x in drawn.values())
    assert mended == pytest.approx(0.2, abs=0.05)
    assert not abs(faulty - 0.2) < 0.1  # it may not even be a number


def test_the_loss_has_three_errors_and_the_mended_one_is_the_bound():
    from torch.distributions import Bernoulli, Normal, kl_divergence
    from torch.nn.functional import binary_cross_entropy_with_logits

    torch.manual_seed(0)
    mean, log_std, logits = torch.randn(3, 8, 5)
    image = (torch.rand(8, 5) > 0.5).float()
    rate = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(1)
    bound = (Bernoulli(logits=logits).log_prob(image).sum(1) - rate).mean()
    names = {"torch": torch, "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits}
    mended = run(code(solutions("paper_3")), "loss", **names)(mean, log_std, logits, image)
    faulty = run(code(paper("paper_3")), "loss", **names)(mean, log_std, logits, image)
    assert mended.item() == pytest.approx(-bound.item(), rel=1e-5)
    assert abs(faulty.item() + bound.item()) > 0.5
