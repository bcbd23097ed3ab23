"""The form of what people read about a cause."""

from dataclasses import FrozenInstanceError

import pytest

from mailwatch.core.wording import Wording


def test_a_wording_without_steps_of_providers_has_none_and_cannot_be_changed():
    wording = Wording("It broke.", "It broke.", ("Mend it.",))
    assert wording.provider_remedies.get("google", wording.remedy) == ("Mend it.",)
    with pytest.raises(TypeError):
        wording.provider_remedies["google"] = ()
    with pytest.raises(FrozenInstanceError):
        wording.operator = "changed"
