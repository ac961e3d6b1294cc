"""What cannot be done is refused before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from sched_core import CommandError, OptionError, Secret

from .rig import Rig

__all__ = ["MisuseContract"]


class MisuseContract(Rig):
    """Misuse."""

    def test_an_unknown_option_is_named_with_the_nearest(self, workdir: Any) -> None:
        with pytest.raises(OptionError, match=r"no option prescrip;.*prescript"):
            self.make(workdir, prescrip="x")

    @pytest.mark.parametrize(
        "options",
        [
            {"forks": 0},
            {"forks": 1.5},
            {"num_retries": -1},
            {"error_strategy": "pray"},
            {"timeout": -1},
            {"timeout": "soon"},
            {"resources": {"memory": "4 GX"}},
            {"resources": {"colour": "red"}},
            {"mode": 0o777},
            {"prescript": 3},
            {"cwd": 3},
            {"env_aliases": ["a"]},
            {"jobname_prefix": "a\nb"},
            {"volumes": 3},
            {"mirror": 3},
        ],
    )
    def test_options_are_checked(self, workdir: Any, options: dict[str, Any]) -> None:
        with pytest.raises(OptionError):
            self.make(workdir, **options)

    @pytest.mark.parametrize("wrong", [None, 3, ["run"], Secret("run")])
    def test_what_is_no_path_is_no_work_directory(self, wrong: Any) -> None:
        with pytest.raises(OptionError, match="workdir"):
            self.make(wrong)

    def test_the_constructor_touches_nothing(self, tmp_path: Any) -> None:
        self.make(tmp_path / "run")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "cmd, envs",
        [
            ([], {}),
            ("", {}),
            ("it's", {}),
            (["a\0b"], {}),
            (["true"], {"A": "a\0b"}),
        ],
    )
    async def test_commands_are_checked_when_they_are_fed(
        self, workdir: Any, cmd: Any, envs: Any
    ) -> None:
        async with self.run(self.make(workdir)) as runner:
            with pytest.raises(CommandError):
                await runner.feed(cmd, envs=envs)
            assert runner.jobs == []

    async def test_t14_names_of_variables_are_checked(self, workdir: Any) -> None:
        async with self.run(self.make(workdir)) as runner:
            for name in ("BAD NAME;x", "UID", "", "1A", "A=B", "A-B", "É", "A\n"):
                with pytest.raises(CommandError):
                    await runner.feed(["/bin/true"], envs={name: "1"})
            assert runner.jobs == []
