package corpus

var portuguese = Language{
	Code: "pt", Name: "João Antunes Leão", First: "João", Address: "joao.leao@pontealta.example.org", Domain: "pontealta.example.org",
	Card: []string{"João Antunes Leão", "Gerente de Segurança da Informação", "Ponte Alta Seguros", "Tel. (11) 5555-0173"}, Closing: "Atenciosamente,",
	Re: "RES: ", Fwd: "ENC: ", Subject: "Solicitação de acesso S000218: administrador em srv-folha-01",
	Notice: []string{
		"Olá João,", "", "Marina Couto solicita acesso a srv-folha-01 com a credencial administrador, de 3 de março de 2025 11:00 a 12:00 (UTC).",
		"Motivo: correção da folha de pagamento.", "", "Abrir a solicitação: https://orbit.example.com/decide/9x3m", "Ou responda a este e-mail com APROVAR ou REJEITAR na primeira linha.", "", "Orbit, central de notificações",
	},
	Answers: []Answer{
		{"APROVAR", "approve"},
		{"Aprovar.\n\nPor favor, encerrar a sessão antes do meio-dia.", "approve"},
		{"rejeitar\n\nA janela de mudança só abre na quinta-feira.", "reject"},
		{"Eu poderia aprovar se o motivo estivesse mais claro. Qual é o chamado?", ""},
		{"REJEITAR!", "reject"},
		{"Por favor não aprovar nada para a Marina hoje, ela está em férias.", ""},
		{"APROVAR\nsomente por uma hora", "approve"},
		{"Aprovado, obrigado.", ""},
		{"*APROVAR*", "approve"},
		{"Que correção é essa? Não fui avisado.\n\nVamos conversar às dez.", ""},
		{"REJEITAR\n\nUse a conta somente leitura.", "reject"},
		{"aprovar?", ""},
		{"De acordo, mas consulte também a Sílvia.", ""},
	},
	On: On{
		Gmail: "Em seg., 3 de mar. de 2025 às 10:12, Orbit <notifications@orbit.example.com> escreveu:", Apple: "Em 3 de mar. de 2025, à(s) 10:12, Orbit <notifications@orbit.example.com> escreveu:",
		Thunderbird: "Em 03/03/2025 10:12, Orbit escreveu:", Yahoo: "Em segunda-feira, 3 de março de 2025 às 10:12:33 BRT, Orbit <notifications@orbit.example.com> escreveu:",
		Roundcube: "Em 2025-03-03 10:12, Orbit escreveu:", Proton: "Em segunda-feira, 3 de março de 2025 às 10:12, Orbit <notifications@orbit.example.com> escreveu:",
	},
	Labels: Labels{"De", "Enviado", "Para", "Assunto", "segunda-feira, 3 de março de 2025 10:12"}, Original: "Mensagem original",
	IPhone: "Enviado do meu iPhone", OutlookMobile: "Obter o Outlook para iOS", YahooPhone: "Enviado do Yahoo Mail no Android",
	Disclaimer: "Esta mensagem pode conter informação confidencial e destina-se somente à pessoa acima indicada. Se a recebeu por engano, apague-a.",
	Away: Away{
		"Resposta automática: ", "Ausência do escritório: ",
		"Olá,\n\nestou de férias até segunda-feira, 10 de março, sem acesso ao e-mail.\n\nEm caso de urgência escreva para Sílvia Prado, silvia.prado@pontealta.example.org.\n\nJoão Antunes Leão",
	},
	Read: Read{"Lida: ", "Sua mensagem foi exibida no computador do destinatário. Isso não garante que foi lida ou compreendida.", "A sua mensagem\n\n   Para: João Antunes Leão\n   Assunto: %s\n   Enviada: segunda-feira, 3 de março de 2025 10:12:33 (UTC)\n\n foi lida em segunda-feira, 3 de março de 2025 10:40:02 (UTC)."},
	Undelivered: Undelivered{
		"Não é possível entregar: ", "Não foi possível entregar a sua mensagem para joao.leao@pontealta.example.org.", "joao.leao não foi encontrado em pontealta.example.org.", "Cabeçalhos da Mensagem Original",
	},
}
