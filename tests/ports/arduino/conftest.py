# SPDX-License-Identifier: Apache-2.0
import pytest

from arduino_board import Board


@pytest.fixture
def make_board(tmp_path):
    made = []

    def make(program="arduino-sketch"):
        folder = tmp_path / f"board{len(made)}"
        folder.mkdir()
        made.append(Board(folder, program))
        return made[-1]

    yield make
    for each in made:
        each.power_off()


@pytest.fixture
def board(make_board):
    return make_board()
