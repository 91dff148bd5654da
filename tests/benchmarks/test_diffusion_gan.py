"""The benchmark of noise before a critic compares a game with itself."""

from dataclasses import fields

from benchmarks import diffusion_gan, gan
from gdmcourse.hybrid import Diffusion


def test_one_row_whose_sides_differ_in_the_noise_alone(monkeypatch):
    for name, value in {"STEPS": 2, "BATCH": 8, "REPEATS": 1}.items():
        monkeypatch.setattr(gan, name, value)
    monkeypatch.setattr(gan.torch, "set_num_threads", lambda threads: None)
    shown = []
    observe = Diffusion.observe
    monkeypatch.setattr(
        Diffusion, "observe", lambda self, real: (shown.append(len(real)), observe(self, real))
    )
    (found,) = diffusion_gan.rows()
    assert shown == [8] * 4  # two runs of one side, one of them to warm up, of two steps
    assert found["unit"] == "ms"
    assert found["target"] == 1.2
    assert found["ours"] > 0
    assert found["peer"] > 0
    ours, plain = gan.game("diffusion-gan-digits"), gan.game("dcgan-digits")
    assert all(getattr(ours, field.name) == getattr(plain, field.name) for field in fields(plain))
