"""Without scripts a page says what it says with them: a quiz its answer, a slider its first frame."""

import pytest
from selenium.webdriver.common.by import By

from tests.site.browser import CHAPTERS
from tests.site.slider import SLIDERS

QUIZZES = [name for name in CHAPTERS if "/start/index" not in name and "/back/" not in name]


@pytest.mark.parametrize("page", [name for name in CHAPTERS if name in {*QUIZZES, *SLIDERS}])
def test_page(browser, subtests, page):
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.driver.get((browser.site / f"{page}.html").as_uri())
    for pages, check in ((QUIZZES, the_answer_is_there), (SLIDERS, the_first_frame_and_its_caption_stand)):
        if page in pages:
            with subtests.test(check.__name__):
                check(browser)


def the_answer_is_there(browser):
    box = browser.driver.find_element(By.CSS_SELECTOR, ".quiz")
    assert len(box.find_elements(By.CSS_SELECTOR, ".quiz-choices > li")) >= 2
    answer = box.find_element(By.CSS_SELECTOR, "details.quiz-answer")
    answer.find_element(By.TAG_NAME, "summary").click()
    assert answer.find_element(By.CSS_SELECTOR, ".quiz-right").text.startswith("It is ")
    assert not box.find_elements(By.CSS_SELECTOR, "input")


def the_first_frame_and_its_caption_stand(browser):
    root = browser.driver.find_element(By.CSS_SELECTOR, ".frames")
    assert [
        picture.is_displayed() for picture in root.find_elements(By.CSS_SELECTOR, ".frames-stage img")
    ].count(True) == 1
    assert not root.find_element(By.CSS_SELECTOR, ".frames-controls").is_displayed()
    figure = root.find_element(By.XPATH, "./ancestor::figure[1]")
    assert figure.find_element(By.TAG_NAME, "figcaption").is_displayed()
