"""The networks that scores can look through, by name."""

from gdmcourse.metrics.classifier import FeatureNetwork
from gdmcourse.metrics.features import feature_network
from gdmcourse.metrics.inception import load_inception
from gdmcourse.recipes.trained import trained

NETWORKS = ("classifier", "vicreg", "inception")


def find_features(name: str, dataset: str = "digits") -> FeatureNetwork:
    """The network `name` for images of `dataset`: trained when first asked for, then read from the cache.

    "classifier" was taught the labels, "vicreg" the same images without them, and "inception" photographs.
    Raises ValueError for an unknown name, and for a data set that the network doesn't know.
    """
    if name == "classifier":
        return feature_network(dataset)
    if name == "inception":
        return load_inception()
    if name != "vicreg":
        raise ValueError(f"there is no feature network {name!r}; there are: {', '.join(NETWORKS)}")
    if dataset != "digits":
        raise ValueError(f"vicreg was trained on digits and doesn't know {dataset!r}; take the classifier")
    found = trained("vicreg-digits").model
    assert isinstance(found, FeatureNetwork)
    return found
