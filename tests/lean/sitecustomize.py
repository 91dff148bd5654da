"""Python runs this module when it starts: processes that tests start do without what only takes them time."""

import sys

# lightning_fabric would import torchmetrics (2.3 s), and jsonschema build a grammar of web addresses (0.8 s).
for name in ("torchmetrics", "rfc3987_syntax"):
    sys.modules[name] = None
