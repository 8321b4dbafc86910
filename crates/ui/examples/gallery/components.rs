//! What the other pages do not show: form states, messages, buttons, disclosures, hostile text.

use ieum_ui::{
    ButtonStyle, Field, InputKind, Lang, Message, Tone, badge, button, button_link, button_post, checkbox,
    disclosure, form_post,
    maud::{Markup, html},
    radios, section, select, text_area, text_input,
};

use crate::Sheet;

pub(crate) const SHEET: Sheet = Sheet {
    file: "components",
    title: ("구성 요소", "Components"),
    lead: ("양식, 알림, 단추와 접는 영역.", "Forms, messages, buttons and disclosures."),
    actions: None,
    content,
};

/// The answer to something done, on the page of this name only.
pub(crate) fn flash(file: &str, lang: Lang) -> Option<Message<'static>> {
    let title = lang.pick("동의가 저장되었습니다.", "Your consent was saved.");
    (file == SHEET.file).then(|| Message { tone: Tone::Success, title, body: html! {} })
}

fn content(lang: Lang) -> Markup {
    html! {
        (section(lang.pick("양식", "Form"), form(lang)))
        (section(lang.pick("알림", "Messages"), messages(lang)))
        (section(lang.pick("단추", "Buttons"), buttons(lang)))
        (section(lang.pick("표지", "Badges"), html! {
            div .i-row {
                @for (tone, text) in [
                    (Tone::Neutral, lang.pick("대기", "Waiting")), (Tone::Primary, lang.pick("지속 중", "Active")),
                    (Tone::Information, lang.pick("안내", "Note")), (Tone::Success, lang.pick("정상", "Normal")),
                    (Tone::Warning, lang.pick("주의", "Caution")), (Tone::Danger, lang.pick("위험", "Danger")),
                ] { (badge(tone, text)) }
            }
        }))
        (section(lang.pick("접는 영역", "Disclosures"), html! {
            (disclosure(lang.pick("누가 내 기록을 볼 수 있나요?", "Who can see my record?"), true, html! {
                p { (lang.pick(
                    "진료하는 의료진, 본인이 동의한 기관, 법률이 정한 경우만 볼 수 있습니다. 모든 열람은 지워지지 않는 기록으로 남습니다.",
                    "Clinicians who treat you, institutions you agreed to, and cases set by law. Every access leaves a permanent entry.")) }
            }))
            (disclosure("<script>alert('xss')</script>", false, html! { p { "\"><img src=x onerror=alert(1)>" } }))
        }))
    }
}

fn form(lang: Lang) -> Markup {
    let name = Field {
        required: true,
        hint: Some(lang.pick("신분증에 적힌 이름", "As on your identity card")),
        ..Field::new("name", lang.pick("이름", "Name"))
    };
    let number = Field {
        required: true,
        error: Some(lang.pick(
            "등록번호는 숫자 7자리입니다. 하이픈 없이 입력해 주세요.",
            "A record number has 7 digits, without hyphens.",
        )),
        ..Field::new("number", lang.pick("등록번호", "Record number"))
    };
    let region = Field::new("region", lang.pick("지역", "Region"));
    let why = Field {
        hint: Some(lang.pick("500자까지", "Up to 500 characters")),
        ..Field::new("why", lang.pick("열람 사유", "Reason"))
    };
    let purpose = Field::new("purpose", lang.pick("목적", "Purpose"));
    let agree = Field {
        required: true,
        ..Field::new(
            "agree",
            lang.pick("개인정보 제3자 제공에 동의합니다.", "I agree to the disclosure of my data."),
        )
    };
    let purposes =
        [("care", lang.pick("진료", "Treatment")), ("copy", lang.pick("사본 발급", "Official copy"))];
    let regions = [("11", lang.pick("서울특별시", "Seoul")), ("26", lang.pick("부산광역시", "Busan"))];
    let fields = html! {
        (text_input(&name, InputKind::Text, "", "name", lang))
        (text_input(&number, InputKind::Digits, "12-34", "off", lang))
        (select(&region, &regions, None, lang))
        (radios(&purpose, &purposes, Some("care"), lang))
        (text_area(&why, "", 4, lang))
        (checkbox(&agree, "yes", false, lang))
    };
    let actions = html! {
        (button(ButtonStyle::Primary, lang.pick("신청하기", "Apply")))
        (button_link(ButtonStyle::Tertiary, lang.pick("취소", "Cancel"), "#"))
    };
    form_post("/apply", Some("token"), &fields, &actions)
}

fn messages(lang: Lang) -> Markup {
    let all = [
        (
            Tone::Information,
            lang.pick(
                "오늘 밤 11시부터 30분간 점검합니다.",
                "Maintenance tonight from 23:00 for 30 minutes.",
            ),
        ),
        (Tone::Success, lang.pick("사본이 발급되었습니다.", "The copy was issued.")),
        (
            Tone::Warning,
            lang.pick(
                "같은 이름의 환자가 있습니다. 생년월일을 확인해 주세요.",
                "Another patient has this name. Check the birth date.",
            ),
        ),
        (
            Tone::Danger,
            lang.pick(
                "저장하지 못했습니다. 입력한 내용은 그대로 있습니다.",
                "Not saved. What you entered is still here.",
            ),
        ),
    ];
    html! {
        @for (tone, title) in all {
            (Message { tone, title, body: html! { @if tone == Tone::Danger { (lang.pick("잠시 뒤 다시 시도해 주세요. 오류 번호 IE-1042", "Please try again shortly. Error IE-1042")) } } }.html(lang))
        }
    }
}

fn buttons(lang: Lang) -> Markup {
    html! {
        div .i-actions {
            (button_link(ButtonStyle::Primary, lang.pick("주요 동작", "Primary"), "#"))
            (button_link(ButtonStyle::Secondary, lang.pick("보조 동작", "Secondary"), "#"))
            (button_link(ButtonStyle::Tertiary, lang.pick("그 밖의 동작", "Tertiary"), "#"))
            (button_link(ButtonStyle::Text, lang.pick("글자 단추", "Text"), "#"))
            (button_post(ButtonStyle::Danger, lang.pick("동의 철회", "Withdraw consent"), "/withdraw", &[("id", "1")]))
        }
    }
}
