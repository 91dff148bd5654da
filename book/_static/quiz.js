// A quiz: a click on a choice shows what it says on it. Markup: gdmbook/quiz.py; without this script the answers
// stand folded below the choices.
(() => {
  function enliven(quiz, number) {
    const choices = [...quiz.querySelectorAll(".quiz-choices > li")];
    const sentences = [...quiz.querySelectorAll(".quiz-sentences > li")];
    const answer = quiz.querySelector(".quiz-answer");
    const right = quiz.querySelector(".quiz-right").textContent.match(/[A-Z](?=\.)/)[0].charCodeAt(0) - 65;
    const said = Object.assign(document.createElement("div"), { className: "quiz-said" });
    said.setAttribute("role", "status");

    choices.forEach((choice, at) => {
      const label = document.createElement("label");
      const button = Object.assign(document.createElement("input"), { type: "radio", name: `quiz-${number}` });
      label.append(button, ...choice.childNodes);
      choice.append(label);
      button.addEventListener("change", () => {
        choices.forEach((other) => other.classList.remove("quiz-hit", "quiz-miss"));
        choice.classList.add(at === right ? "quiz-hit" : "quiz-miss");
        said.innerHTML = sentences[at].innerHTML;
        said.firstElementChild.prepend(at === right ? "✓ Right. " : "✗ Not this one. ");
        answer.hidden = at !== right && !answer.open;
      });
    });
    quiz.setAttribute("role", "group");
    quiz.setAttribute("aria-label", "Predict, then see");
    quiz.classList.add("quiz-live");
    answer.before(said);
    answer.hidden = true; // until the right choice is found: a guess first
  }

  const ready = () => document.querySelectorAll(".quiz").forEach(enliven);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready);
  else ready();
})();
