"""Batches are the same for any number of processes, and leave out and double no window."""

from itertools import chain

from accelerate.data_loader import DataLoaderShard

from training.batches import Batches

LENGTHS = [10 + number * 7 % 31 for number in range(103)]


def shares(processes, epoch=0, size=8):
    batches = [Batches(LENGTHS, size, 13, process, processes) for process in range(processes)]
    for one in batches:
        one.set_epoch(epoch)
    assert len({len(one) for one in batches}) == 1
    assert all(len(list(one)) == len(one) for one in batches)
    return list(zip(*batches, strict=True))


def test_an_epoch_has_every_window_once():
    assert sorted(index for (batch,) in shares(1) for index in batch) == list(range(len(LENGTHS)))


def test_processes_share_the_batches_of_one():
    for epoch in (0, 1):
        whole = [sorted(batch) for (batch,) in shares(1, epoch)]
        for processes in (2, 3):
            assert [sorted(chain(*parts)) for parts in shares(processes, epoch)] == whole


def test_an_epoch_has_its_own_order():
    assert shares(1, epoch=0) != shares(1, epoch=1)
    assert shares(1, epoch=1) == shares(1, epoch=1)


def test_every_process_steps_where_windows_are_too_few():
    *_, last = shares(8)
    assert len(LENGTHS) % 8 == 7
    assert all(len(part) == 1 for part in last)


def test_windows_of_a_batch_are_of_similar_length():
    spreads = [
        max(LENGTHS[index] for index in batch) - min(LENGTHS[index] for index in batch) for (batch,) in shares(1)
    ]
    assert sum(spreads) / len(spreads) < 15


def test_the_loader_passes_the_epoch_on():
    loader = DataLoaderShard(list(range(40)), batch_sampler=Batches([1] * 40, 4, 13))
    orders = []
    for epoch in (0, 1):
        loader.set_epoch(epoch)
        orders.append([batch.tolist() for batch in loader])
    assert orders[0] != orders[1]


def test_each_epoch_reads_other_plain_windows_and_all_the_rest():
    batches = Batches([5] * 20, size=4, seed=13, optional=range(12), share=0.25)
    epochs = []
    for epoch in range(3):
        batches.set_epoch(epoch)
        read = [index for batch in batches for index in batch]
        assert len(read) == len(set(read)) == 11
        assert len(list(batches)) == len(batches) == 3
        assert set(range(12, 20)) <= set(read)
        epochs.append(sorted(read))
    assert epochs[0] != epochs[1] != epochs[2]


def test_processes_leave_out_the_same_plain_windows():
    whole, *parts = (Batches([5] * 20, 4, 13, *process, range(12), 0.25) for process in ((0, 1), (0, 2), (1, 2)))
    assert sorted(chain(*whole)) == sorted(chain(*chain(*parts)))
