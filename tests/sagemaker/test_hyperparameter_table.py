from semseg.sagemaker.hyperparameter_schema import fields_by_name
from semseg.sagemaker.hyperparameter_table import hyperparameter_table


def test_every_hyperparameter_has_a_whole_row() -> None:
    head, rule, *rows = hyperparameter_table().splitlines()
    assert head == "| name | values | default | meaning |"
    assert rule == "| --- | --- | --- | --- |"
    cells = [row.strip("|").split("|") for row in rows]
    assert [cell[0].strip(" `") for cell in cells] == list(fields_by_name())
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in cells)


def test_some_rows() -> None:
    table = hyperparameter_table()
    assert "| `num_classes` | an integer from 2 to 254 | **required** | How many" in table
    assert "| `num_training_samples` | an integer of at least 1 | **required** | How" in table
    assert "such as 10, 20 | **required** when lr_scheduler is step | The epochs" in table
    assert "| `base_size` | an integer of at least 17 | `520` | Before" in table
    assert "| `weight_decay` | a number above 0 and below 1 | `0.0001` | Weight" in table
    assert "| `seed` | an integer from 0 to 2147483647 | none | Makes" in table
