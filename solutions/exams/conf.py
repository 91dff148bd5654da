"""How `make exams` renders the papers: pages to print, with formulas drawn offline."""

project = "Exam papers"
extensions = ["myst_nb", "sphinx-mathjax-offline"]
myst_enable_extensions = ["dollarmath", "substitution"]
nb_execution_mode = "force"
html_theme = "basic"
html_show_copyright = html_show_sphinx = html_show_sourcelink = html_copy_source = False
html_sidebars = {"**": []}
html_use_index = False
html_static_path = ["print.css"]
html_css_files = ["print.css"]
